// Never ends and makes no call to its host.
int main(void) {
    volatile unsigned turns = 0;
    for (;;) turns = turns + 1;
}
