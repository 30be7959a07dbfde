// Writes a file, big.dat, that grows until a write fails; then says so on stderr and exits 1.
// stdout: a line "wrote N MiB" each time N doubles.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024 * 1024)

static char block[65536];

int main(void) {
    int file = open("big.dat", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) {
        perror("big.dat");
        return 1;
    }
    memset(block, 'x', sizeof block);
    unsigned long long written = 0, report = 1;
    for (;;) {
        ssize_t count = write(file, block, sizeof block);
        if (count <= 0) {
            fprintf(stderr, "big.dat: write failed after %llu bytes: %s\n", written, strerror(errno));
            return 1;
        }
        written += (unsigned long long)count;
        if (written / MIB >= report) {
            printf("wrote %llu MiB\n", report);
            fflush(stdout);
            report *= 2;
        }
    }
}
