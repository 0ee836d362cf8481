/* Processes that use all the time there is and yield none. */
#include <unistd.h>
int main(void) {
    write(1, "started\n", 8);
    for (int i = 0; i < 6; i++)
        fork();
    for (volatile unsigned long n = 0;; n++)
        ;
}
