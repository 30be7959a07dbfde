/* Five kernels without a library. TICK is empty but where Binaryen's asyncify is compared, which needs a poll of its own. */
#include <stdint.h>

#ifdef POLL
__attribute__((import_module("host"), import_name("poll"))) void poll(void);
__attribute__((export_name("budget"))) static int64_t *budget(void);
static int64_t left;
static int64_t *budget(void) { return &left; }
#define TICK do { if (--left < 0) { left = 1000000; poll(); } } while (0)
#else
#define TICK do {} while (0)
#endif
#define KERNEL(name) __attribute__((export_name(#name))) double name(int n)

/* Five bodies under gravity (the outer planets, from the Computer Language Benchmarks Game's task). */
static double position[5][3], velocity[5][3], mass[5];

KERNEL(bodies) {
    for (int i = 0; i < 5; i++) {
        TICK;
        mass[i] = 1.0 / (1 + i * 7);
        for (int k = 0; k < 3; k++) { TICK; position[i][k] = i * 3.5 + k * (1 - i); velocity[i][k] = 0.1 * (k - i); }
    }
    for (int step = 0; step < n; step++) {
        TICK;
        for (int i = 0; i < 5; i++) {
            TICK;
            for (int j = i + 1; j < 5; j++) {
                TICK;
                double x = position[i][0] - position[j][0], y = position[i][1] - position[j][1], z = position[i][2] - position[j][2];
                double d = x * x + y * y + z * z + 0.01, m = 0.001 / (d * __builtin_sqrt(d));
                velocity[i][0] -= x * mass[j] * m; velocity[i][1] -= y * mass[j] * m; velocity[i][2] -= z * mass[j] * m;
                velocity[j][0] += x * mass[i] * m; velocity[j][1] += y * mass[i] * m; velocity[j][2] += z * mass[i] * m;
            }
        }
        for (int i = 0; i < 5; i++) for (int k = 0; k < 3; k++) { TICK; position[i][k] += 0.001 * velocity[i][k]; }
    }
    return position[0][0] + velocity[4][2];
}

/* SHA-256 of blocks that follow from each other (FIPS 180-4), with constants that are as good for a benchmark. */
static uint32_t schedule[64], constants[64], state[8];
#define ROTATE(x, k) ((x) >> (k) | (x) << (32 - (k)))

KERNEL(hash) {
    for (int i = 0; i < 64; i++) { TICK; constants[i] = 2654435761u * (i + 1); }
    for (int i = 0; i < 8; i++) { TICK; state[i] = 0x6a09e667u + i; }
    for (int block = 0; block < n; block++) {
        TICK;
        for (int i = 0; i < 16; i++) { TICK; schedule[i] = state[i & 7] + block * i; }
        for (int i = 16; i < 64; i++) {
            TICK;
            uint32_t a = schedule[i - 15], b = schedule[i - 2];
            schedule[i] = schedule[i - 16] + schedule[i - 7] + (ROTATE(a, 7) ^ ROTATE(a, 18) ^ a >> 3) + (ROTATE(b, 17) ^ ROTATE(b, 19) ^ b >> 10);
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
        for (int i = 0; i < 64; i++) {
            TICK;
            uint32_t t = h + (ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + schedule[i];
            uint32_t u = (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g; g = f; f = e; e = d + t; d = c; c = b; b = a; a = t + u;
        }
        state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    }
    return state[0] ^ state[7];
}

/* Product of two matrices. */
#define SIZE 160
static double left_hand[SIZE][SIZE], right_hand[SIZE][SIZE], product[SIZE][SIZE];

KERNEL(matrix) {
    for (int i = 0; i < SIZE; i++) for (int j = 0; j < SIZE; j++) { TICK; left_hand[i][j] = i - j; right_hand[i][j] = i + j * 0.5; }
    for (int turn = 0; turn < n; turn++) {
        TICK;
        for (int i = 0; i < SIZE; i++) {
            TICK;
            for (int j = 0; j < SIZE; j++) {
                TICK;
                double sum = 0;
                for (int k = 0; k < SIZE; k++) { TICK; sum += left_hand[i][k] * right_hand[k][j]; }
                product[i][j] = sum;
            }
        }
        left_hand[turn % SIZE][0] += product[0][turn % SIZE];
    }
    return product[SIZE - 1][SIZE / 2];
}

/* Queens on a board: recursion and branches. */
static int count(int rows, uint32_t columns, uint32_t left_diagonals, uint32_t right_diagonals, uint32_t all) {
    if (columns == all) return 1;
    int found = 0;
    for (uint32_t free = all & ~(columns | left_diagonals | right_diagonals); free; free &= free - 1) {
        TICK;
        uint32_t queen = free & -free;
        found += count(rows + 1, columns | queen, (left_diagonals | queen) << 1, (right_diagonals | queen) >> 1, all);
    }
    return found;
}

KERNEL(queens) { return count(0, 0, 0, 0, (1u << n) - 1); }

/* The sieve of Eratosthenes: little work for each access to memory. */
static uint8_t composite[1 << 20];

KERNEL(sieve) {
    int primes = 0;
    for (int turn = 0; turn < n; turn++) {
        TICK;
        for (int i = 0; i < 1 << 20; i++) { TICK; composite[i] = 0; }
        for (int i = 2; i < 1 << 20; i++) {
            TICK;
            if (composite[i]) continue;
            primes++;
            for (int k = 2 * i; k < 1 << 20; k += i) { TICK; composite[k] = 1; }
        }
    }
    return primes;
}
