// SHA-256 of a buffer, again and again: rotations and additions of integers.
#include <stdint.h>
#include <string.h>

static uint32_t table[64];
static uint8_t buffer[65536];

static uint32_t turn(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void block(uint32_t state[8], const uint8_t *bytes) {
    uint32_t w[64], s[8];
    for (int at = 0; at < 16; at++)
        w[at] = (uint32_t)bytes[4 * at] << 24 | bytes[4 * at + 1] << 16 | bytes[4 * at + 2] << 8 | bytes[4 * at + 3];
    for (int at = 16; at < 64; at++) {
        uint32_t low = turn(w[at - 15], 7) ^ turn(w[at - 15], 18) ^ w[at - 15] >> 3;
        uint32_t high = turn(w[at - 2], 17) ^ turn(w[at - 2], 19) ^ w[at - 2] >> 10;
        w[at] = w[at - 16] + low + w[at - 7] + high;
    }
    memcpy(s, state, sizeof s);
    for (int at = 0; at < 64; at++) {
        uint32_t high = turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25);
        uint32_t one = s[7] + high + ((s[4] & s[5]) ^ (~s[4] & s[6])) + table[at] + w[at];
        uint32_t low = turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22);
        uint32_t two = low + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int at = 0; at < 8; at++) state[at] += s[at];
}

int main(void) {
    uint32_t state[8];
    for (int at = 0; at < 64; at++) table[at] = 0x428a2f98u * (2 * at + 1);
    for (int at = 0; at < 8; at++) state[at] = 0x6a09e667u * (at + 1);
    for (unsigned at = 0; at < sizeof buffer; at++) buffer[at] = at * 31 >> 3;
    for (int times = 0; times < 1500; times++)
        for (unsigned at = 0; at < sizeof buffer; at += 64) block(state, buffer + at);
    return (int)(state[0] % 100);
}
