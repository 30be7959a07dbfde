// Ends well without writing the file that its sub-task declares.
#include <stdio.h>

int main(void) {
    printf("done, but wrote no file\n");
    return 0;
}
