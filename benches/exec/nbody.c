// Five bodies under gravity: floating point, no memory to speak of.
#include <math.h>

enum { BODIES = 5, STEPS = 5000000 };
static double place[BODIES][3], speed[BODIES][3], mass[BODIES];

int main(void) {
    for (int body = 0; body < BODIES; body++) {
        mass[body] = 1.0 / (1 + body);
        for (int axis = 0; axis < 3; axis++) {
            place[body][axis] = 1.5 * body + 0.3 * axis * (body % 2 ? 1 : -1);
            speed[body][axis] = 0.1 * ((body * 7 + axis * 3) % 5 - 2);
        }
    }
    for (int step = 0; step < STEPS; step++) {
        for (int one = 0; one < BODIES; one++) {
            for (int other = one + 1; other < BODIES; other++) {
                double way[3], square = 0.01;
                for (int axis = 0; axis < 3; axis++) {
                    way[axis] = place[one][axis] - place[other][axis];
                    square += way[axis] * way[axis];
                }
                double pull = 0.0001 / (square * sqrt(square));
                for (int axis = 0; axis < 3; axis++) {
                    speed[one][axis] -= way[axis] * mass[other] * pull;
                    speed[other][axis] += way[axis] * mass[one] * pull;
                }
            }
        }
        for (int body = 0; body < BODIES; body++)
            for (int axis = 0; axis < 3; axis++) place[body][axis] += 0.0001 * speed[body][axis];
    }
    double energy = 0;
    for (int body = 0; body < BODIES; body++)
        for (int axis = 0; axis < 3; axis++) energy += mass[body] * speed[body][axis] * speed[body][axis];
    return (int)(fabs(energy) * 1e6) % 100;
}
