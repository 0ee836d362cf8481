/* Pseudo-terminals: making a pair, what master and slave see of each other, closing, packet mode, non-blocking, poll. */
#include "check.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static char buf[20000];

static void show_bytes(const char *label, long count) {
    printf("%s:", label);
    if (count < 0)
        printf(" %s", errno_name(errno));
    for (long i = 0; i < count; i++)
        printf(" %02x", (unsigned char)buf[i]);
    puts("");
}

/* Reads once, after waiting for something for a moment. */
static void take(const char *label, int fd) {
    struct pollfd p = {fd, POLLIN};
    poll(&p, 1, 300);
    errno = 0;
    show_bytes(label, read(fd, buf, 100));
}

static void readiness(const char *label, int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI};
    usleep(20000);
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", label, n, p.revents);
}

static void raw(int fd) {
    struct termios t;
    tcgetattr(fd, &t);
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
}

static int master, slave;
static char name[64];

static void pair(void) {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    unlockpt(master);
    strcpy(name, ptsname(master));
    slave = open(name, O_RDWR | O_NOCTTY);
}

int main(void) {
    puts("-- making");
    WORKS(master = posix_openpt(O_RDWR | O_NOCTTY));
    int number = -1, lock = -1;
    CALL(ioctl(master, TIOCGPTN, &number));
    HOLDS(number >= 0);
    CALL(ioctl(master, TIOCGPTLCK, &lock));
    printf("locked %d\n", lock);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    HOLDS(strcmp(name, ptsname(master)) == 0);
    CALL(open(name, O_RDWR | O_NOCTTY));
    CALL(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    CALL(grantpt(master));
    CALL(unlockpt(master));
    CALL(ioctl(master, TIOCGPTLCK, &lock));
    printf("locked %d\n", lock);
    struct stat m, s;
    CALL(fstat(master, &m));
    CALL(stat(name, &s));
    printf("master %o %x, slave type %o major %d, node is %d\n", m.st_mode & S_IFMT, (int)m.st_rdev, s.st_mode & S_IFMT,
           (int)(s.st_rdev >> 8 & 0xff), (int)(s.st_rdev & 0xff) == number);
    HOLDS(s.st_uid == 0);
    CALL(isatty(master));
    CALL(ioctl(1, TIOCGPTN, &number));
    CALL(ioctl(master, TIOCGPTN, NULL));
    WORKS(slave = open(name, O_RDWR | O_NOCTTY));
    CALL(isatty(slave));
    CALL(ioctl(slave, TIOCGPTN, &number));
    CALL(ioctl(slave, TIOCSPTLCK, &lock));
    HOLDS(strcmp(ttyname(slave), name) == 0);
    CALL(lseek(master, 0, SEEK_SET));
    CALL(lseek(slave, 0, SEEK_SET));
    CALL(pread(slave, buf, 1, 0));
    CALL(unlink(name));
    CALL(open("/dev/pts/new", O_CREAT | O_RDWR, 0600));
    CALL(mkdir("/dev/pts/new", 0700));
    CALL(chmod(name, 0622));
    CALL(chown(name, 1000, -1));
    stat(name, &s);
    printf("mode %o uid %d\n", s.st_mode & 07777, s.st_uid);

    puts("-- settings");
    struct termios t, u;
    CALL(tcgetattr(slave, &t));
    printf("%o %o %o %o line %d\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_line);
    for (int i = 0; i < 17; i++)
        printf("%d ", t.c_cc[i]);
    puts("");
    t.c_lflag &= ~ECHO;
    CALL(tcsetattr(master, TCSANOW, &t));
    CALL(tcgetattr(slave, &u));
    printf("echo %d\n", (u.c_lflag & ECHO) != 0);
    t.c_lflag |= ECHO;
    CALL(tcsetattr(slave, TCSADRAIN, &t));
    CALL(tcgetattr(master, &u));
    printf("echo %d\n", (u.c_lflag & ECHO) != 0);
    struct winsize w = {9, 9, 9, 9};
    CALL(ioctl(slave, TIOCGWINSZ, &w));
    printf("%d %d %d %d\n", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
    w = (struct winsize){30, 100, 5, 6};
    CALL(ioctl(master, TIOCSWINSZ, &w));
    memset(&w, 0, sizeof w);
    CALL(ioctl(slave, TIOCGWINSZ, &w));
    printf("%d %d %d %d\n", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
    int value = 77;
    CALL(ioctl(slave, TIOCGETD, &value));
    printf("%d\n", value);
    value = 0;
    CALL(ioctl(slave, TIOCSETD, &value));
    CALL(ioctl(slave, TIOCGSID, &value));
    CALL(ioctl(slave, TIOCGPGRP, &value));
    value = 5;
    CALL(ioctl(master, TIOCGPGRP, &value));
    printf("%d\n", value);
    CALL(ioctl(master, TIOCGSID, &value));
    CALL(ioctl(master, TIOCSPGRP, &value));
    CALL(ioctl(master, TIOCNOTTY));
    CALL(ioctl(slave, TIOCNOTTY));
    CALL(ioctl(slave, TIOCMGET, &value));
    CALL(ioctl(slave, 0x12345678, &value));
    CALL(ioctl(slave, TIOCGWINSZ, BAD_POINTER));

    puts("-- data");
    CALL(write(slave, "one\ntwo", 7));
    take("master", master);
    CALL(write(master, "typed\n", 6));
    take("echo", master);
    take("slave", slave);
    CALL(write(master, "ab\x7f" "c\x15xy\n", 8));
    take("echo", master);
    take("slave", slave);
    CALL(write(master, "eof\x04\x04", 5));
    take("echo", master);
    take("slave", slave);
    take("slave", slave);
    CALL(write(master, "long line\n", 10));
    CALL(read(slave, buf, 4));
    CALL(ioctl(slave, FIONREAD, &value));
    printf("%d\n", value);
    CALL(read(slave, buf, 40));
    take("echo", master);
    CALL(ioctl(master, FIONREAD, &value));
    printf("%d\n", value);
    CALL(write(master, BAD_POINTER, 3));
    CALL(write(slave, BAD_POINTER, 3));
    CALL(write(master, "", 0));
    CALL(read(master, buf, 0));
    CALL(write(slave, "left", 4));
    usleep(20000);
    CALL(read(master, BAD_POINTER, 3));

    puts("-- flow control and flush");
    take("left", master);
    CALL(write(master, "\x13", 1));
    usleep(20000);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    CALL(write(slave, "stopped", 7));
    readiness("stopped slave", slave);
    CALL(write(master, "\x11", 1));
    usleep(20000);
    CALL(write(slave, "goes", 4));
    take("goes", master);
    CALL(tcflow(slave, TCOOFF));
    CALL(write(slave, "stopped", 7));
    CALL(tcflow(slave, TCOON));
    CALL(write(slave, "goes", 4));
    take("goes", master);
    CALL(write(master, "flush me\n", 9));
    take("echo", master);
    CALL(tcflush(slave, TCIFLUSH));
    CALL(read(slave, buf, 40));
    CALL(tcflush(slave, 17));
    CALL(tcdrain(slave));
    CALL(tcsendbreak(slave, 0));
    fcntl(slave, F_SETFL, 0);

    puts("-- readiness");
    readiness("master", master);
    readiness("slave", slave);
    write(slave, "x", 1);
    readiness("master", master);
    take("x", master);
    write(master, "no line", 7);
    take("echo", master);
    readiness("slave", slave);
    write(master, "\n", 1);
    readiness("slave", slave);
    take("echo", master);
    take("line", slave);
    fcntl(master, F_SETFL, O_NONBLOCK);
    CALL(read(master, buf, 10));
    fcntl(slave, F_SETFL, O_NONBLOCK);
    CALL(read(slave, buf, 10));

    puts("-- raw");
    raw(slave);
    write(master, "a\x03\r\n", 4);
    take("slave", slave);
    write(slave, "a\n", 2);
    take("master", master);
    long total = 0, count;
    memset(buf, 'x', sizeof buf);
    long sent = 0;
    while (sent < 1 << 20 && (count = write(master, buf, 10000)) > 0)
        sent += count;
    printf("full: %s\n", errno_name(errno));
    HOLDS(sent >= 4096 && sent < 200000);
    for (int i = 0; i < 1000 && total < sent; i++) {
        count = read(slave, buf, sizeof buf);
        if (count > 0)
            total += count;
        else
            usleep(2000);
    }
    HOLDS(total == sent);
    for (count = 0, total = 0; total < 1 << 20 && (count = write(slave, buf, 1000)) > 0;)
        total += count;
    printf("full: %s\n", errno_name(errno));
    HOLDS(total >= 4096 && total < 200000);
    long left = total;
    for (int i = 0; i < 2000 && left > 0; i++) {
        count = read(master, buf, sizeof buf);
        if (count > 0)
            left -= count;
        else
            usleep(1000);
    }
    printf("left %ld\n", left);
    readiness("slave", slave);

    puts("-- packet mode");
    value = 9;
    CALL(ioctl(master, TIOCGPKT, &value));
    printf("%d\n", value);
    value = 1;
    CALL(ioctl(master, TIOCPKT, &value));
    CALL(ioctl(slave, TIOCPKT, &value));
    CALL(ioctl(master, TIOCGPKT, &value));
    printf("%d\n", value);
    write(slave, "data", 4);
    take("packet", master);
    tcgetattr(slave, &t);
    t.c_iflag |= IXON;
    CALL(tcsetattr(slave, TCSANOW, &t));
    readiness("master", master);
    take("packet", master);
    t.c_iflag &= ~IXON;
    CALL(tcsetattr(slave, TCSANOW, &t));
    take("packet", master);
    tcflush(slave, TCIFLUSH);
    take("packet", master);
    tcflush(slave, TCOFLUSH);
    take("packet", master);
    tcflow(slave, TCOOFF);
    take("packet", master);
    tcflow(slave, TCOON);
    take("packet", master);
    write(slave, "ab", 2);
    usleep(20000);
    CALL(read(master, buf, 1));
    CALL(read(master, buf, 2));
    CALL(read(master, buf, 9));
    CALL(read(master, buf, 9));
    value = 0;
    CALL(ioctl(master, TIOCPKT, &value));

    puts("-- the slave is closed");
    write(slave, "last", 4);
    close(slave);
    readiness("master", master);
    take("master", master);
    take("master", master);
    readiness("master", master);
    CALL(write(master, "early", 5));
    WORKS(slave = open(name, O_RDWR | O_NOCTTY));
    readiness("master", master);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    take("slave", slave);
    CALL(read(master, buf, 5));
    WORKS(slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    CALL(write(slave, "peer", 4));
    take("master", master);

    puts("-- the master is closed");
    write(master, "lost", 4);
    close(master);
    readiness("slave", slave);
    CALL(read(slave, buf, 10));
    CALL(read(slave, buf, 10));
    CALL(write(slave, "x", 1));
    CALL(tcgetattr(slave, &t));
    CALL(ioctl(slave, TIOCSPGRP, &value));
    CALL(isatty(slave));
    CALL(open(name, O_RDWR | O_NOCTTY));
    CALL(stat(name, &s));
    CALL(fstat(slave, &s));

    puts("-- two descriptors of each");
    pair();
    int again = dup(master), more = open(name, O_RDWR | O_NOCTTY);
    close(master);
    CALL(write(slave, "a", 1));
    take("dup", again);
    close(slave);
    CALL(write(more, "b", 1));
    take("dup", again);
    close(more);
    take("dup", again);
    close(again);

    puts("-- exclusive");
    pair();
    CALL(ioctl(slave, TIOCEXCL));
    CHILD(chmod(name, 0666); become(1000, 1000); CALL(open(name, O_RDWR | O_NOCTTY)));
    CALL(ioctl(slave, TIOCGEXCL, &value));
    printf("%d\n", value);
    CALL(ioctl(slave, TIOCNXCL));
    CHILD(become(1000, 1000); WORKS(open(name, O_RDWR | O_NOCTTY)));
    return 0;
}
