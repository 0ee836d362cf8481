/* dup, dup2, dup3, fcntl(F_DUPFD): numbers, shared positions and flags, limits. */
#include "check.h"
#include <sys/resource.h>

int main(void) {
    char buf[8];
    scratch_tmpfs("dup");
    CALL(open("f", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    CALL(write(3, "0123456789", 10));
    CALL(dup(3));
    CALL(fcntl(3, F_GETFD));
    CALL(fcntl(4, F_GETFD));
    CALL(lseek(4, 0, SEEK_CUR));
    CALL(lseek(4, 2, SEEK_SET));
    CALL(read(3, buf, 3));
    CALL(lseek(4, 0, SEEK_CUR));
    CALL(fcntl(4, F_SETFL, O_APPEND));
    HOLDS((fcntl(3, F_GETFL) & O_APPEND) != 0);
    CALL(fcntl(4, F_SETFD, FD_CLOEXEC));
    CALL(fcntl(3, F_SETFD, 0));
    CALL(fcntl(4, F_GETFD));
    CALL(dup(99));
    CALL(dup(-1));

    puts("-- dup2");
    CALL(dup2(3, 10));
    CALL(dup2(3, 3));
    CALL(dup2(99, 99));
    CALL(dup2(99, 10));
    CALL(fcntl(10, F_GETFD));
    CALL(dup2(3, -1));
    CALL(dup2(3, 1000000));
    CALL(dup2(4, 10));
    CALL(fcntl(10, F_GETFD));
    CALL(open("g", O_CREAT | O_RDWR, 0600));
    CALL(dup2(5, 10));
    struct stat a, b;
    fstat(5, &a), fstat(10, &b);
    HOLDS(a.st_ino == b.st_ino);
    CALL(close(10));
    CALL(lseek(5, 0, SEEK_CUR));

    puts("-- dup3");
    CALL(dup3(3, 10, O_CLOEXEC));
    CALL(fcntl(10, F_GETFD));
    CALL(dup3(3, 10, 0));
    CALL(fcntl(10, F_GETFD));
    CALL(dup3(3, 3, 0));
    CALL(dup3(3, 11, O_NONBLOCK));
    CALL(dup3(99, 11, 0));
    CALL(dup3(99, 99, 0));
    CALL(dup3(3, -1, 0));

    puts("-- F_DUPFD");
    CALL(fcntl(3, F_DUPFD, 0));
    CALL(fcntl(3, F_DUPFD, 20));
    CALL(fcntl(3, F_DUPFD, 20));
    CALL(fcntl(3, F_DUPFD_CLOEXEC, 20));
    CALL(fcntl(22, F_GETFD));
    CALL(fcntl(20, F_GETFD));
    CALL(fcntl(3, F_DUPFD, -1));
    CALL(fcntl(3, F_DUPFD, 1000000));
    CALL(fcntl(99, F_DUPFD, 0));

    puts("-- RLIMIT_NOFILE");
    struct rlimit limit = {25, 1024};
    CALL(setrlimit(RLIMIT_NOFILE, &limit));
    CALL(dup2(3, 24));
    CALL(dup2(3, 25));
    CALL(fcntl(3, F_DUPFD, 25));
    CALL(fcntl(3, F_DUPFD, 23));
    CALL(fcntl(3, F_DUPFD, 23));
    int last = -1, fd;
    while ((fd = dup(3)) >= 0)
        last = fd;
    printf("last %d then %s\n", last, errno_name(errno));
    CALL(open("f", O_RDONLY));
    int p[2] = {-7, -7};
    CALL(pipe(p));
    CALL(close(7));
    CALL(pipe(p));
    printf("%d %d\n", p[0], p[1]);
    CALL(open("f", O_RDONLY));
    limit.rlim_cur = 5;
    CALL(setrlimit(RLIMIT_NOFILE, &limit));
    CALL(read(20, buf, 1));
    CALL(dup2(3, 5));
    CALL(dup2(3, 4));
    CALL(dup2(20, 20));
    for (fd = 3; fd < 30; fd++)
        close(fd);
    leave_tmpfs();
    return 0;
}
