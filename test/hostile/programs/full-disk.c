/* Writes files until the disk is full, removes one, and writes on; makes empty files until there are no inodes. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    static char block[1 << 16];
    char name[64];
    chdir("/tmp");
    write(1, "started\n", 8);
    for (unsigned long i = 0;; i++) {
        snprintf(name, sizeof name, "fill-%d-%lu", getpid(), i);
        int fd = open(name, O_CREAT | O_WRONLY, 0644);
        if (fd < 0) {
            snprintf(name, sizeof name, "fill-%d-%lu", getpid(), i / 2);
            unlink(name);
            continue;
        }
        if (i % 2)
            for (int n = 0; n < 4096 && write(fd, block, sizeof block) > 0; n++)
                ;
        close(fd);
    }
}
