/* poll, ppoll: bits by kind of file, timeouts, signals, masks, errors. */
#include "check.h"
#include <poll.h>

static void handler(int signal) {}

static const char *bits(int revents) {
    static char text[100];
    text[0] = 0;
    static const struct { int bit; const char *name; } names[] = {{POLLIN, "IN"}, {POLLPRI, "PRI"}, {POLLOUT, "OUT"},
        {POLLERR, "ERR"}, {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {POLLRDNORM, "RDNORM"}, {POLLWRNORM, "WRNORM"},
        {POLLRDBAND, "RDBAND"}, {POLLWRBAND, "WRBAND"}, {POLLRDHUP, "RDHUP"}};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (revents & names[i].bit)
            strcat(strcat(text, text[0] ? "|" : ""), names[i].name);
    return text[0] ? text : "0";
}

static const short ALL = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND | POLLRDHUP;

static void one(const char *label, int fd, short events) {
    struct pollfd p = {fd, events, 0x7fff};
    int result = poll(&p, 1, 0);
    printf("%s: %d %s\n", label, result, bits(p.revents));
    fflush(stdout);
}

static long ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(void) {
    int p[2];
    char buf[64];
    static char big[65536];
    scratch_tmpfs("poll");
    puts("-- pipes");
    pipe(p);
    one("empty, reader", p[0], ALL);
    one("empty, writer", p[1], ALL);
    write(p[1], "x", 1);
    one("one byte, reader", p[0], ALL);
    one("one byte, reader, no events", p[0], 0);
    one("one byte, writer", p[1], ALL);
    read(p[0], buf, 1);
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    write(p[1], big, sizeof big);
    one("full, writer", p[1], ALL);
    read(p[0], big, 4095);
    one("4095 read, writer", p[1], ALL);
    read(p[0], big, 2);
    one("4097 read, writer", p[1], ALL);
    close(p[1]);
    one("no writer, bytes left", p[0], ALL);
    while (read(p[0], big, sizeof big) > 0)
        ;
    one("no writer, empty", p[0], ALL);
    one("no writer, no events", p[0], 0);
    close(p[0]);
    pipe(p);
    close(p[0]);
    one("no reader", p[1], ALL);
    one("no reader, no events", p[1], 0);
    close(p[1]);

    puts("-- others");
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    one("regular", fd, ALL);
    close(fd);
    fd = open("f", O_RDONLY);
    one("regular, read only", fd, ALL);
    close(fd);
    fd = open(".", O_RDONLY);
    one("directory", fd, ALL);
    close(fd);
    fd = open("f", O_PATH);
    one("path", fd, ALL);
    close(fd);
    fd = open("/dev/null", O_RDWR);
    one("null", fd, ALL);
    close(fd);
    fd = open("/dev/zero", O_RDWR);
    one("zero", fd, ALL);
    close(fd);
    fd = open("/dev/urandom", O_RDONLY);
    one("urandom", fd, ALL);
    close(fd);
    fd = open("/proc/self/status", O_RDONLY);
    one("proc", fd, ALL);
    close(fd);
    one("closed", 99, ALL);
    one("closed, no events", 99, 0);
    one("ignored", -1, ALL);
    one("ignored", -99, ALL);

    puts("-- several");
    pipe(p);
    struct pollfd fds[4] = {{p[0], POLLIN}, {-1, POLLIN, 5}, {p[1], POLLOUT}, {99, POLLIN}};
    CALL(poll(fds, 4, -1));
    for (int i = 0; i < 4; i++)
        printf("%s ", bits(fds[i].revents));
    puts("");
    CALL(poll(fds, 1, 0));
    CALL(poll(NULL, 0, 0));
    CALL(poll(NULL, 1, 0));
    CALL(poll(UNMAPPED, 1, 0));
    CALL(poll(BAD_POINTER, 1, 0));
    CALL(poll(fds, 100000000, 0));

    puts("-- timeouts");
    long start = ms();
    CALL(poll(fds, 1, 30));
    HOLDS(ms() - start >= 30 && ms() - start < 1000);
    start = ms();
    CALL(poll(NULL, 0, 20));
    HOLDS(ms() - start >= 20);
    struct timespec t = {0, 20000000};
    start = ms();
    CALL(syscall(SYS_ppoll, fds, 1, &t, NULL, 8));
    HOLDS(ms() - start >= 20);
    HOLDS(t.tv_sec == 0 && t.tv_nsec == 0);
    t = (struct timespec){0, 1000000000};
    CALL(syscall(SYS_ppoll, fds, 1, &t, NULL, 8));
    t = (struct timespec){-1, 0};
    CALL(syscall(SYS_ppoll, fds, 1, &t, NULL, 8));
    CALL(syscall(SYS_ppoll, fds, 1, UNMAPPED, NULL, 8));

    puts("-- woken");
    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        write(p[1], "x", 1);
        _exit(0);
    }
    CALL(poll(fds, 1, 5000));
    printf("%s\n", bits(fds[0].revents));
    wait(NULL);
    read(p[0], buf, 1);
    if (fork() == 0) {
        close(p[0]);
        usleep(20000);
        _exit(0);
    }
    close(p[1]);
    CALL(poll(fds, 1, 5000));
    printf("%s\n", bits(fds[0].revents));
    wait(NULL);
    close(p[0]);

    puts("-- signals");
    pipe(p);
    fds[0].fd = p[0];
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    ualarm(20000, 0);
    CALL(poll(fds, 1, 5000));
    ualarm(20000, 0);
    CALL(poll(NULL, 0, -1));
    sigset_t block, empty;
    sigemptyset(&empty), sigemptyset(&block), sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGUSR1);
    CALL(poll(fds, 1, 10));
    CALL(ppoll(fds, 1, NULL, &empty));
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    HOLDS(sigismember(&now, SIGUSR1));
    raise(SIGUSR1);
    write(p[1], "x", 1);
    CALL(ppoll(fds, 1, NULL, &empty));
    sigpending(&now);
    HOLDS(sigismember(&now, SIGUSR1));
    t = (struct timespec){0, 0};
    read(p[0], buf, 1);
    CALL(ppoll(fds, 1, &t, &empty));
    CALL(syscall(SYS_ppoll, fds, 1, &t, &empty, 4));
    CALL(syscall(SYS_ppoll, fds, 1, &t, UNMAPPED, 8));
    close(p[0]), close(p[1]);
    leave_tmpfs();
    return 0;
}
