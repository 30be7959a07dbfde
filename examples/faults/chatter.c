// Writes to stdout without end, and goes on when a write fails.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    char line[64];
    for (unsigned long long number = 1;; number++) {
        snprintf(line, sizeof line, "line %llu of no end of lines\n", number);
        (void)!write(STDOUT_FILENO, line, strlen(line));
    }
}
