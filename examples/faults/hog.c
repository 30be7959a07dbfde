// Takes memory, and writes to every page of it, until no more is to be had; then aborts (a trap).
// stdout: a line "holding N MiB" each time N doubles, and "refused after N MiB" at the end.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024 * 1024)

int main(void) {
    unsigned held = 0, report = 1;
    for (;;) {
        char *block = malloc(MIB);
        if (!block) break;
        memset(block, (int)(held % 251 + 1), MIB);
        __asm__ volatile("" : : "r"(block) : "memory"); // the block stays: the compiler must not drop it
        if (++held == report) {
            printf("holding %u MiB\n", held);
            fflush(stdout);
            report *= 2;
        }
    }
    printf("refused after %u MiB\n", held);
    fflush(stdout);
    abort();
}
