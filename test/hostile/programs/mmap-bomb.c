/* Maps and touches all the memory there is, in children that are killed for it, again and again. */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    write(1, "started\n", 8);
    for (;;) {
        if (fork() == 0)
            for (size_t size = 1ul << 30;;) {
                char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
                if (p == MAP_FAILED) {
                    if ((size /= 2) < 4096)
                        _exit(1);
                } else
                    for (size_t i = 0; i < size; i += 4096)
                        p[i] = 1;
            }
        wait(NULL);
    }
}
