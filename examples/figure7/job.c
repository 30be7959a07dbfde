// The job of the paper's Fig. 7: two numbers in, joboutput.out out.
//
//   job A B                  "A B hypotenuse H paths P"
//
// H is the hypotenuse of the right triangle with legs A and B, P the number of shortest lattice paths across
// an A x B grid, (A+B choose A). For 3 and 4: 5 and 35.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int parse(const char *text, unsigned long *value) {
    char *end;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value <= 30;
}

int main(int argc, char **argv) {
    unsigned long a, b;
    if (argc != 3 || !parse(argv[1], &a) || !parse(argv[2], &b)) {
        fprintf(stderr, "usage: job A B (each 0 to 30)\n");
        return 2;
    }
    unsigned long long paths = 1;
    for (unsigned long i = 1; i <= a; i++) paths = paths * (b + i) / i; // exact: each step is a binomial

    FILE *out = fopen("joboutput.out", "w");
    if (!out) {
        perror("joboutput.out");
        return 1;
    }
    fprintf(out, "%lu %lu hypotenuse %.17g paths %llu\n", a, b, sqrt((double)(a * a + b * b)), paths);
    if (ferror(out) | fclose(out)) {
        perror("joboutput.out");
        return 1;
    }
    return 0;
}
