// Twelve queens on a board, four times over: calls that call themselves, integers.
static int columns, left[32], right[32], column[32];

static int place(int row, int size) {
    if (row == size) return 1;
    int count = 0;
    for (int at = 0; at < size; at++) {
        if (column[at] || left[row + at] || right[row - at + size]) continue;
        column[at] = left[row + at] = right[row - at + size] = 1;
        count += place(row + 1, size);
        column[at] = left[row + at] = right[row - at + size] = 0;
    }
    return count;
}

int main(void) {
    for (int turn = 0; turn < 4; turn++) columns += place(0, 12);
    return columns % 97;
}
