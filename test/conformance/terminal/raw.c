/* Raw reading: VMIN and VTIME, O_NONBLOCK, FIONREAD, poll, changes of mode with input waiting, flushing; output settings. */
#include "../programs/check.h"
#include "terminal.h"

static long ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void limits(int minimum, int tenths) { special(VMIN, minimum), special(VTIME, tenths); }

static int waiting(void) {
    int n = -1;
    ioctl(0, FIONREAD, &n);
    return n;
}

/* Until so much has come. */
static void until(int count) {
    while (waiting() < count)
        usleep(1000);
}

int main(void) {
    char buf[64];
    struct termios t, u;
    tcgetattr(0, &t);
    for (int i = 0; i < 17; i++)
        printf("%d ", t.c_cc[i]);
    puts("");
    flags(0, 0, 0, ICANON | ECHO);
    limits(1, 0);
    ask("one");
    ask("what is there");
    limits(3, 0);
    mark();
    until(2);
    struct pollfd p = {0, POLLIN};
    CALL(poll(&p, 1, 0));
    ask("three at least");
    limits(0, 0);
    ask_again("none is enough");
    mark();
    until(2);
    ask_again("two are there");
    limits(0, 1);
    long start = ms();
    ask_again("a tenth");
    HOLDS(ms() - start >= 90);
    ask("within the time");
    limits(2, 1);
    ask("one, then time runs out");
    limits(5, 0);
    mark();
    until(4);
    CALL(read(0, buf, 3));
    limits(1, 0);
    CALL(read(0, buf, 3));

    puts("-- nonblocking");
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    ask_again("nothing");
    mark();
    until(1);
    ask_again("something");
    flags(0, 0, ICANON, 0);
    mark();
    usleep(50000);
    ask_again("half a line");
    CALL(poll(&p, 1, 0));
    mark();
    usleep(50000);
    CALL(poll(&p, 1, 0));
    printf("waiting %d\n", waiting());
    ask_again("a line");
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) & ~O_NONBLOCK);

    puts("-- changes of mode");
    mark();
    usleep(50000);
    flags(0, 0, 0, ICANON);
    ask_again("half a line in raw mode");
    mark();
    until(4);
    tcgetattr(0, &t);
    t.c_lflag |= ICANON;
    tcsetattr(0, TCSAFLUSH, &t);
    printf("waiting %d\n", waiting());
    ask("after a flush");
    mark();
    usleep(50000);
    CALL(tcflush(0, TCIFLUSH));
    printf("waiting %d\n", waiting());
    ask("after tcflush");
    mark();
    usleep(50000);
    CALL(tcflush(0, TCOFLUSH));
    ask_again("not flushed");

    puts("-- output");
    tcgetattr(1, &t);
    u = t;
    t.c_oflag &= ~OPOST;
    tcsetattr(1, TCSANOW, &t);
    write(1, "raw\n\ttab\n\r", 10);
    t.c_oflag = OPOST | ONLCR | XTABS;
    tcsetattr(1, TCSANOW, &t);
    write(1, "a\tb\n12345678\tc\n", 15);
    t.c_oflag = OPOST | OLCUC;
    tcsetattr(1, TCSANOW, &t);
    write(1, "upper\r\n", 7);
    t.c_oflag = OPOST | OCRNL;
    tcsetattr(1, TCSANOW, &t);
    write(1, "one\rtwo\r", 8);
    t.c_oflag = OPOST | ONOCR;
    tcsetattr(1, TCSANOW, &t);
    write(1, "\r\rx\r\n", 5);
    t.c_oflag = OPOST | ONLRET;
    tcsetattr(1, TCSANOW, &t);
    write(1, "y\n\r\n", 4);
    tcsetattr(1, TCSANOW, &u);
    puts("");
    CALL(tcdrain(1));
    CALL(tcsetattr(1, 77, &u));
    CALL(ioctl(1, TCXONC, 77));
    CALL(ioctl(1, TCFLSH, 77));
    CALL(ioctl(1, TCGETS, UNMAPPED));
    CALL(ioctl(1, TCSETS, UNMAPPED));
    return 0;
}
