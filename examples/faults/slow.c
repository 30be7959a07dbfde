// A sub-task that lasts as long as one likes.
//
//   slow MILLIONS            writes sum.txt: "MILLIONS CHECKSUM" (16 hexadecimal digits)
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    char *end = NULL;
    errno = 0;
    unsigned long millions = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
    if (argc != 2 || argv[1][0] < '0' || argv[1][0] > '9' || *end != '\0' || errno != 0) {
        fprintf(stderr, "usage: slow MILLIONS\n");
        return 2;
    }
    uint64_t x = 0x9e3779b97f4a7c15u, sum = 0;
    for (unsigned long i = 0; i < millions; i++) {
        for (int j = 0; j < 1000000; j++) { // xorshift64, each turn needs the one before
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            sum += x * 0x2545f4914f6cdd1du;
        }
    }
    FILE *out = fopen("sum.txt", "w");
    if (!out) {
        perror("sum.txt");
        return 1;
    }
    fprintf(out, "%lu %016llx\n", millions, (unsigned long long)sum);
    if (ferror(out) | fclose(out)) {
        perror("sum.txt");
        return 1;
    }
    printf("%lu million turns: %016llx\n", millions, (unsigned long long)sum);
    return 0;
}
