// Monte-Carlo price of an Asian call option, geometric and arithmetic average.
//
//   options SEED PATHS
//
// Writes result.txt: the number of paths and, for both averages, the sum and the sum of squares of the
// discounted payoffs. Sums of several seeds merge by adding. The geometric average has a closed form, so the
// merged price can be checked (merge.rs; the constants below are repeated there).
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SPOT 100.0
#define STRIKE 100.0
#define RATE 0.05
#define VOLATILITY 0.2
#define YEARS 1.0
#define FIXINGS 50 // even: normal deviates come in pairs

static uint64_t state[4];

static uint64_t splitmix64(uint64_t *x) {
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// xoshiro256**
static uint64_t next(void) {
    uint64_t result = rotl(state[1] * 5, 7) * 9;
    uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    return result;
}

// Uniform in (0, 1]: its logarithm is finite.
static double uniform(void) { return ((double)(next() >> 11) + 1.0) * 0x1p-53; }

// Two independent standard normal deviates (Box-Muller).
static void normal_pair(double *a, double *b) {
    double radius = sqrt(-2.0 * log(uniform()));
    double angle = 6.283185307179586476925 * uniform();
    *a = radius * cos(angle);
    *b = radius * sin(angle);
}

static int parse(const char *text, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

int main(int argc, char **argv) {
    uint64_t seed, paths;
    if (argc != 3 || !parse(argv[1], &seed) || !parse(argv[2], &paths) || paths < 2) {
        fprintf(stderr, "usage: options SEED PATHS (PATHS at least 2)\n");
        return 2;
    }
    uint64_t x = seed;
    for (int i = 0; i < 4; i++) state[i] = splitmix64(&x);

    const double step = YEARS / FIXINGS;
    const double drift = (RATE - 0.5 * VOLATILITY * VOLATILITY) * step;
    const double spread = VOLATILITY * sqrt(step);
    const double discount = exp(-RATE * YEARS);
    double geo_sum = 0, geo_sumsq = 0, ari_sum = 0, ari_sumsq = 0;
    for (uint64_t path = 0; path < paths; path++) {
        double log_ratio = 0, log_total = 0, total = 0;
        for (int i = 0; i < FIXINGS; i += 2) {
            double a, b;
            normal_pair(&a, &b);
            log_ratio += drift + spread * a;
            log_total += log_ratio;
            total += exp(log_ratio);
            log_ratio += drift + spread * b;
            log_total += log_ratio;
            total += exp(log_ratio);
        }
        double geo = discount * fmax(SPOT * exp(log_total / FIXINGS) - STRIKE, 0.0);
        double ari = discount * fmax(SPOT * total / FIXINGS - STRIKE, 0.0);
        geo_sum += geo;
        geo_sumsq += geo * geo;
        ari_sum += ari;
        ari_sumsq += ari * ari;
    }

    FILE *out = fopen("result.txt", "w");
    if (!out) {
        perror("result.txt");
        return 1;
    }
    fprintf(out, "seed=%llu\nn=%llu\n", (unsigned long long)seed, (unsigned long long)paths);
    fprintf(out, "geometric_sum=%.17g\ngeometric_sumsq=%.17g\n", geo_sum, geo_sumsq);
    fprintf(out, "arithmetic_sum=%.17g\narithmetic_sumsq=%.17g\n", ari_sum, ari_sumsq);
    if (ferror(out) | fclose(out)) {
        perror("result.txt");
        return 1;
    }
    printf("seed %llu: %llu paths, Asian call: geometric average %.17g, arithmetic average %.17g\n",
           (unsigned long long)seed, (unsigned long long)paths, geo_sum / (double)paths,
           ari_sum / (double)paths);
    return 0;
}
