/* As many mappings as there may be, each of one page and unlike its neighbours. */
#include <sys/mman.h>
#include <unistd.h>
int main(void) {
    write(1, "started\n", 8);
    for (unsigned i = 0;; i++) {
        void *p = mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            pause();
    }
}
