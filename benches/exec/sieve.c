// The primes below 20 million, three times: bytes of memory, branches.
#include <string.h>

enum { MOST = 20000000 };
static char composite[MOST];

int main(void) {
    int count = 0;
    for (int turn = 0; turn < 3; turn++) {
        memset(composite, 0, sizeof composite);
        for (int number = 2; number < MOST; number++) {
            if (composite[number]) continue;
            count++;
            for (long long multiple = (long long)number * number; multiple < MOST; multiple += number) composite[multiple] = 1;
        }
    }
    return count % 100;
}
