// Ends in a trap: the WebAssembly instruction `unreachable`.
int main(void) { __builtin_trap(); }
