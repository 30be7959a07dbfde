// Counts the solutions of the N-queens problem whose queen in the first row stands in a given column.
//
//   queens N COLUMN          writes count.txt: "N COLUMN COUNT"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Bits: columns taken, and the two families of diagonals as seen from the current row.
static uint64_t count(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
    if (columns == all) return 1;
    uint64_t solutions = 0;
    for (uint32_t free = all & ~(columns | left | right); free != 0; free &= free - 1) {
        uint32_t queen = free & -free;
        solutions += count(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return solutions;
}

static int parse(const char *text, unsigned long max, unsigned long *value) {
    char *end;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value <= max;
}

int main(int argc, char **argv) {
    unsigned long n, column;
    if (argc != 3 || !parse(argv[1], 24, &n) || n == 0 || !parse(argv[2], n - 1, &column)) {
        fprintf(stderr, "usage: queens N COLUMN (N 1 to 24, COLUMN 0 to N-1)\n");
        return 2;
    }
    uint32_t all = ((uint32_t)1 << n) - 1, queen = (uint32_t)1 << column;
    uint64_t solutions = count(all, queen, queen << 1, queen >> 1);

    FILE *out = fopen("count.txt", "w");
    if (!out) {
        perror("count.txt");
        return 1;
    }
    fprintf(out, "%lu %lu %llu\n", n, column, (unsigned long long)solutions);
    if (ferror(out) | fclose(out)) {
        perror("count.txt");
        return 1;
    }
    printf("%lu queens, first in column %lu: %llu solutions\n", n, column, (unsigned long long)solutions);
    return 0;
}
