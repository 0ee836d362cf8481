/* What dup, fork and separate opens share: position and status flags belong to the description, close-on-exec to the descriptor. */
#include "check.h"

int main(void) {
    char buf[8];
    scratch_tmpfs("shared-offset");
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    write(fd, "0123456789", 10);
    CALL(lseek(fd, 0, SEEK_SET));
    CHILD(CALL(read(fd, buf, 3)); CALL(lseek(fd, 0, SEEK_CUR)));
    CALL(lseek(fd, 0, SEEK_CUR));
    CHILD(CALL(lseek(fd, 7, SEEK_SET)); CALL(fcntl(fd, F_SETFL, O_APPEND)); CALL(fcntl(fd, F_SETFD, FD_CLOEXEC)); CALL(close(fd)));
    CALL(read(fd, buf, 1));
    printf("%c\n", buf[0]);
    HOLDS((fcntl(fd, F_GETFL) & O_APPEND) != 0);
    CALL(fcntl(fd, F_GETFD));
    CALL(fcntl(fd, F_SETFL, 0));
    int other = open("f", O_RDWR), copy = dup(fd);
    CALL(lseek(other, 0, SEEK_CUR));
    CALL(lseek(copy, 0, SEEK_CUR));
    CALL(lseek(copy, 1, SEEK_SET));
    CALL(lseek(fd, 0, SEEK_CUR));
    CALL(pread(fd, buf, 4, 4));
    CALL(lseek(copy, 0, SEEK_CUR));
    CALL(open("/proc/self/fd/3", O_RDWR));
    CALL(lseek(6, 0, SEEK_CUR));
    CALL(open("/dev/fd/3", O_RDWR));
    CALL(lseek(7, 0, SEEK_CUR));

    puts("-- writers that append");
    ftruncate(fd, 0);
    int a = open("f", O_WRONLY | O_APPEND), b = open("f", O_WRONLY | O_APPEND);
    for (int i = 0; i < 3; i++) {
        write(a, "a", 1);
        write(b, "b", 1);
    }
    CALL(pread(fd, buf, 8, 0));
    printf("%.6s\n", buf);
    CALL(lseek(a, 0, SEEK_CUR));
    CALL(lseek(b, 0, SEEK_CUR));
    ftruncate(fd, 0);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int k = 0; k < 25; k++)
                write(a, "0123456789", 10);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    CALL(lseek(fd, 0, SEEK_END));

    puts("-- writers that share a position");
    ftruncate(fd, 0);
    lseek(fd, 0, SEEK_SET);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int k = 0; k < 25; k++)
                write(fd, "0123456789", 10);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    CALL(lseek(fd, 0, SEEK_CUR));
    CALL(lseek(fd, 0, SEEK_END));
    for (int i = 3; i < 12; i++)
        close(i);
    leave_tmpfs();
    return 0;
}
