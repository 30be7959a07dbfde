// A product of two matrices: memory in rows, floating point.
enum { SIZE = 512, TURNS = 4 };
static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];

int main(void) {
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++) {
            left[row][column] = (row * 3 + column) % 17;
            right[row][column] = (row + column * 5) % 13;
        }
    for (int turn = 0; turn < TURNS; turn++)
        for (int row = 0; row < SIZE; row++)
            for (int inner = 0; inner < SIZE; inner++) {
                double factor = left[row][inner];
                for (int column = 0; column < SIZE; column++) product[row][column] += factor * right[inner][column];
            }
    long long sum = 0;
    for (int row = 0; row < SIZE; row++) sum += (long long)product[row][(row * 7) % SIZE];
    return (int)(sum % 100);
}
