/* Every process forks for ever and never ends. */
#include <unistd.h>
int main(void) {
    write(1, "started\n", 8);
    for (;;)
        fork();
}
