// Does nothing: what a sub-task costs besides its work.
int main(void) { return 0; }
