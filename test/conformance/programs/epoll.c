/* epoll: level and edge triggered, one shot, nesting, what closing does, order, masks, errors. */
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <poll.h>

static int ep;
static struct epoll_event out[64];
static void handler(int signal) {}

static int ctl(int op, int fd, unsigned events, uint64_t data) {
    struct epoll_event e = {events, {.u64 = data}};
    return epoll_ctl(ep, op, fd, &e);
}
static void waiting(const char *label, int timeout) {
    int n = epoll_wait(ep, out, 64, timeout);
    printf("%s:", label);
    if (n < 0)
        printf(" %s", errno_name(errno));
    for (int i = 0; i < n; i++)
        printf(" %lu=%#x", (unsigned long)out[i].data.u64, out[i].events);
    puts(n == 0 ? " nothing" : "");
    fflush(stdout);
}
static void put(int fd, uint64_t n) { write(fd, &n, 8); }
static void drain(int fd) {
    uint64_t n;
    read(fd, &n, 8);
}

int main(void) {
    char buf[65536];
    int p[2];
    puts("-- level triggered");
    ep = epoll_create1(EPOLL_CLOEXEC);
    CALL(fcntl(ep, F_GETFD));
    CALL(fcntl(ep, F_GETFL));
    pipe(p);
    CALL(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    CALL(ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT, 2));
    waiting("writable", 0);
    write(p[1], "ab", 2);
    waiting("both", 0);
    read(p[0], buf, 1);
    waiting("one byte left", 0);
    read(p[0], buf, 1);
    waiting("empty", 0);
    CALL(ctl(EPOLL_CTL_DEL, p[1], 0, 0));
    waiting("only the reader", 0);
    close(p[1]);
    waiting("no writer", 0);
    close(p[0]);
    waiting("closed", 0);

    puts("-- edge triggered");
    int e = eventfd(0, EFD_NONBLOCK);
    CALL(ctl(EPOLL_CTL_ADD, e, EPOLLIN | EPOLLET, 3));
    waiting("empty", 0);
    put(e, 1);
    waiting("one", 0);
    waiting("again", 0);
    put(e, 1);
    waiting("more", 0);
    drain(e);
    waiting("drained", 0);
    put(e, 1), drain(e);
    waiting("came and went", 0);
    put(e, 1);
    CALL(ctl(EPOLL_CTL_MOD, e, EPOLLIN | EPOLLOUT | EPOLLET, 4));
    waiting("modified", 0);
    waiting("again", 0);
    pipe(p);
    CALL(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 5));
    write(p[1], "x", 1);
    waiting("pipe", 0);
    write(p[1], "y", 1);
    waiting("pipe, more", 0);
    read(p[0], buf, 1);
    waiting("pipe, one read", 0);
    close(p[1]);
    waiting("pipe, hung up", 0);
    waiting("again", 0);
    close(p[0]);
    close(e);

    puts("-- one shot");
    e = eventfd(1, EFD_NONBLOCK);
    CALL(ctl(EPOLL_CTL_ADD, e, EPOLLIN | EPOLLONESHOT, 6));
    waiting("first", 0);
    waiting("second", 0);
    put(e, 1);
    waiting("third", 0);
    CALL(ctl(EPOLL_CTL_MOD, e, EPOLLIN | EPOLLONESHOT, 7));
    waiting("armed", 0);
    CALL(ctl(EPOLL_CTL_ADD, e, EPOLLIN, 7));
    close(e);

    puts("-- no events asked for");
    pipe(p);
    CALL(ctl(EPOLL_CTL_ADD, p[0], 0, 8));
    write(p[1], "x", 1);
    waiting("bytes", 0);
    close(p[1]);
    waiting("hung up", 0);
    close(p[0]);

    puts("-- by description");
    e = eventfd(1, 0);
    int d = dup(e);
    CALL(ctl(EPOLL_CTL_ADD, e, EPOLLIN, 9));
    CALL(ctl(EPOLL_CTL_ADD, d, EPOLLIN, 10));
    CALL(ctl(EPOLL_CTL_ADD, d, EPOLLIN, 10));
    waiting("two", 0);
    close(e);
    waiting("closed one", 0);
    CALL(ctl(EPOLL_CTL_DEL, e, 0, 0));
    CALL(ctl(EPOLL_CTL_DEL, d, 0, 0));
    waiting("the other one", 0);
    close(d);
    waiting("none", 0);

    puts("-- turns");
    int many[5];
    for (int i = 0; i < 5; i++)
        many[i] = eventfd(1, 0), ctl(EPOLL_CTL_ADD, many[i], EPOLLIN, 20 + i);
    for (int turn = 0; turn < 4; turn++) {
        int n = epoll_wait(ep, out, 2, 0);
        printf("%d:", n);
        for (int i = 0; i < n; i++)
            printf(" %lu", (unsigned long)out[i].data.u64);
        puts("");
    }
    for (int i = 0; i < 5; i++)
        close(many[i]);

    puts("-- timeouts and waking");
    e = eventfd(0, 0);
    ctl(EPOLL_CTL_ADD, e, EPOLLIN, 30);
    waiting("20 ms", 20);
    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        put(e, 1);
        _exit(0);
    }
    waiting("woken", -1);
    wait(NULL);
    drain(e);
    struct timespec t = {0, 20000000};
    CALL(syscall(SYS_epoll_pwait2, ep, out, 4, &t, NULL, 8));
    HOLDS(t.tv_nsec == 20000000);
    t = (struct timespec){0, 1000000000};
    CALL(syscall(SYS_epoll_pwait2, ep, out, 4, &t, NULL, 8));
    CALL(syscall(SYS_epoll_pwait2, ep, out, 4, BAD_POINTER, NULL, 8));
    put(e, 1);
    CALL(syscall(SYS_epoll_pwait2, ep, out, 4, NULL, NULL, 8));
    drain(e);

    puts("-- signals");
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    ualarm(20000, 0);
    waiting("interrupted", -1);
    sigset_t block, none;
    sigemptyset(&none), sigemptyset(&block), sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGUSR1);
    CALL(epoll_pwait(ep, out, 4, 0, &none));
    raise(SIGUSR1);
    CALL(epoll_pwait(ep, out, 4, 20, &block));
    CALL(epoll_pwait(ep, out, 4, -1, &none));
    CALL(syscall(SYS_epoll_pwait, ep, out, 4, 0, &none, 4));
    CALL(syscall(SYS_epoll_pwait, ep, out, 4, 0, BAD_POINTER, 8));

    puts("-- nested");
    int outer = ep, inner = epoll_create(1);
    CALL(ctl(EPOLL_CTL_ADD, inner, EPOLLIN, 40));
    waiting("nothing inside", 0);
    ep = inner;
    CALL(ctl(EPOLL_CTL_ADD, e, EPOLLIN, 41));
    ep = outer;
    CALL(ctl(EPOLL_CTL_DEL, e, 0, 0));
    put(e, 1);
    waiting("outer", 0);
    struct pollfd pf = {inner, POLLIN | POLLOUT, 0};
    CALL(poll(&pf, 1, 0));
    printf("%#x\n", pf.revents);
    ep = inner;
    waiting("inner", 0);
    CALL(ctl(EPOLL_CTL_ADD, outer, EPOLLIN, 42));
    CALL(ctl(EPOLL_CTL_ADD, inner, EPOLLIN, 42));
    ep = outer;
    drain(e);
    waiting("outer, drained", 0);
    int chain[7];
    for (int i = 0; i < 7; i++)
        chain[i] = epoll_create1(0);
    for (int i = 0; i < 6; i++) {
        ep = chain[i];
        CALL(ctl(EPOLL_CTL_ADD, chain[i + 1], EPOLLIN, 0));
    }
    ep = chain[3];
    CALL(ctl(EPOLL_CTL_ADD, chain[0], EPOLLIN, 0));
    for (int i = 0; i < 7; i++)
        close(chain[i]);
    ep = outer;

    puts("-- exclusive");
    int x = eventfd(0, 0);
    CALL(ctl(EPOLL_CTL_ADD, x, EPOLLIN | EPOLLEXCLUSIVE, 50));
    CALL(ctl(EPOLL_CTL_MOD, x, EPOLLIN, 50));
    put(x, 1);
    waiting("exclusive", 0);
    CALL(ctl(EPOLL_CTL_DEL, x, 0, 0));
    CALL(ctl(EPOLL_CTL_ADD, x, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 50));
    CALL(ctl(EPOLL_CTL_ADD, x, EPOLLIN, 50));
    CALL(ctl(EPOLL_CTL_MOD, x, EPOLLIN | EPOLLEXCLUSIVE, 50));
    close(x);

    puts("-- what cannot be watched");
    int fd;
    static const char *const files[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/", "/proc/self/status"};
    for (int i = 0; i < 6; i++) {
        fd = open(files[i], O_RDONLY);
        SHOW(files[i], ctl(EPOLL_CTL_ADD, fd, EPOLLIN, 0));
        close(fd);
    }
    scratch("epoll");
    fd = open("f", O_CREAT | O_RDWR, 0600);
    CALL(ctl(EPOLL_CTL_ADD, fd, EPOLLIN, 0));
    CALL(ctl(EPOLL_CTL_DEL, fd, EPOLLIN, 0));
    close(fd);
    fd = open("f", O_PATH);
    CALL(ctl(EPOLL_CTL_ADD, fd, EPOLLIN, 0));
    close(fd);
    unlink("f");

    puts("-- errors");
    CALL(epoll_create(0));
    CALL(epoll_create(-1));
    CALL(epoll_create1(1));
    CALL(ctl(EPOLL_CTL_ADD, 99, EPOLLIN, 0));
    CALL(ctl(EPOLL_CTL_MOD, e, EPOLLIN, 0));
    CALL(ctl(EPOLL_CTL_DEL, e, EPOLLIN, 0));
    CALL(ctl(77, e, EPOLLIN, 0));
    CALL(epoll_ctl(ep, EPOLL_CTL_ADD, e, NULL));
    CALL(epoll_ctl(ep, EPOLL_CTL_ADD, 99, BAD_POINTER));
    CALL(epoll_ctl(ep, EPOLL_CTL_DEL, e, NULL));
    CALL(epoll_ctl(e, EPOLL_CTL_ADD, inner, out));
    CALL(epoll_ctl(99, EPOLL_CTL_ADD, inner, out));
    CALL(epoll_wait(ep, out, 0, 0));
    CALL(epoll_wait(ep, out, -1, 0));
    CALL(epoll_wait(ep, out, 0x7fffffff, 0));
    CALL(epoll_wait(e, out, 1, 0));
    CALL(epoll_wait(99, out, 1, 0));
    CALL(epoll_wait(ep, NULL, 1, 0));
    CALL(epoll_wait(ep, BAD_POINTER, 1, 0));
    put(e, 1);
    CALL(ctl(EPOLL_CTL_ADD, e, EPOLLIN, 1));
    CALL(epoll_wait(ep, UNMAPPED, 1, 0));
    waiting("still there", 0);
    CALL(read(ep, buf, 8));
    CALL(write(ep, buf, 8));
    CALL(lseek(ep, 0, SEEK_SET));
    char link[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", ep);
    int n = readlink(path, link, sizeof link);
    printf("%.*s\n", n, link);
    return 0;
}
