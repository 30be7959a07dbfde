// Fails in an orderly way: a line on stderr and exit code 3.
#include <stdio.h>

int main(void) {
    fprintf(stderr, "about to fail\n");
    return 3;
}
