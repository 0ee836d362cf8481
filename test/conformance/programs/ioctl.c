/* ioctl: requests of every descriptor, of files and pipes; errors. */
#include "check.h"
#include <sys/ioctl.h>
#include <termios.h>

int main(void) {
    int n = -1;
    struct termios t;
    struct winsize w;
    char buf[8];
    scratch_tmpfs("ioctl");
    int fd = open("f", O_CREAT | O_RDWR, 0600), p[2], null = open("/dev/null", O_RDWR), d = open(".", O_RDONLY);
    pipe(p);
    write(fd, "0123456789", 10);
    CALL(ioctl(99, FIONREAD, &n));
    CALL(ioctl(fd, FIONREAD, &n));
    printf("%d\n", n);
    lseek(fd, 3, SEEK_SET);
    CALL(ioctl(fd, FIONREAD, &n));
    printf("%d\n", n);
    CALL(ioctl(fd, FIONREAD, UNMAPPED));
    CALL(ioctl(fd, FIOCLEX));
    CALL(fcntl(fd, F_GETFD));
    CALL(ioctl(fd, FIONCLEX));
    CALL(fcntl(fd, F_GETFD));
    n = 1;
    CALL(ioctl(p[0], FIONBIO, &n));
    CALL(read(p[0], buf, 1));
    n = 0;
    CALL(ioctl(p[0], FIONBIO, &n));
    HOLDS((fcntl(p[0], F_GETFL) & O_NONBLOCK) == 0);
    CALL(ioctl(p[0], FIONBIO, UNMAPPED));
    int path = open("f", O_PATH);
    CALL(ioctl(path, FIONREAD, &n));
    CALL(ioctl(path, FIOCLEX));
    int all[] = {fd, p[0], null, d};
    const char *names[] = {"file", "pipe", "null", "directory"};
    for (int i = 0; i < 4; i++) {
        puts(names[i]);
        CALL(ioctl(all[i], TCGETS, &t));
        CALL(ioctl(all[i], TIOCGWINSZ, &w));
        CALL(ioctl(all[i], TIOCGPGRP, &n));
        CALL(ioctl(all[i], TIOCSCTTY, 0));
        CALL(ioctl(all[i], 0x12345678, &n));
        CALL(isatty(all[i]) ? 1 : -1);
    }
    CALL(ioctl(null, FIONREAD, &n));
    CALL(ioctl(d, FIONREAD, &n));
    for (int i = 3; i < 14; i++)
        close(i);
    leave_tmpfs();
    return 0;
}
