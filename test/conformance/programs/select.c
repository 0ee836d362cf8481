/* select, pselect6: sets, timeouts, signals, masks, errors. */
#include "check.h"
#include <sys/select.h>

static void handler(int signal) {}

static void show(int n, fd_set *set) {
    printf("{");
    for (int i = 0; i < n; i++)
        if (FD_ISSET(i, set))
            printf(" %d", i);
    printf(" }\n");
}

static fd_set set_of(int a, int b) {
    fd_set set;
    FD_ZERO(&set);
    if (a >= 0)
        FD_SET(a, &set);
    if (b >= 0)
        FD_SET(b, &set);
    return set;
}

static long ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(void) {
    int p[2], q[2];
    char buf[8];
    pipe(p), pipe(q);
    struct timeval zero = {0, 0}, t;
    fd_set r = set_of(p[0], q[0]), w = set_of(p[1], q[1]), e = set_of(p[0], p[1]);
    CALL(select(10, &r, &w, &e, &zero));
    show(10, &r), show(10, &w), show(10, &e);
    write(p[1], "x", 1);
    r = set_of(p[0], q[0]);
    CALL(select(10, &r, NULL, NULL, NULL));
    show(10, &r);
    close(q[1]);
    r = set_of(p[0], q[0]), e = set_of(q[0], -1);
    CALL(select(10, &r, NULL, &e, NULL));
    show(10, &r), show(10, &e);
    close(q[0]);
    pipe(q);
    close(q[0]);
    r = set_of(q[1], -1), w = set_of(q[1], -1), e = set_of(q[1], -1);
    CALL(select(10, &r, &w, &e, &zero));
    show(10, &r), show(10, &w), show(10, &e);
    close(q[1]);

    puts("-- limits");
    r = set_of(p[0], 9);
    CALL(select(10, &r, NULL, NULL, &zero));
    show(10, &r);
    r = set_of(p[0], 9);
    CALL(select(9, &r, NULL, NULL, &zero));
    show(10, &r);
    r = set_of(p[0], -1);
    CALL(select(p[0], &r, NULL, NULL, &zero));
    CALL(select(0, NULL, NULL, NULL, &zero));
    CALL(select(-1, NULL, NULL, NULL, &zero));
    CALL(select(10, UNMAPPED, NULL, NULL, &zero));
    CALL(select(10, NULL, NULL, NULL, UNMAPPED));
    t = (struct timeval){-1, 0};
    CALL(select(0, NULL, NULL, NULL, &t));
    t = (struct timeval){0, -1};
    CALL(select(0, NULL, NULL, NULL, &t));
    t = (struct timeval){0, 1500000};
    CALL(select(10, &r, NULL, NULL, &t));
    int high = fcntl(p[0], F_DUPFD, 100);
    fd_set big;
    FD_ZERO(&big);
    FD_SET(high, &big);
    FD_SET(p[0], &big);
    CALL(select(high + 1, &big, NULL, NULL, &zero));
    show(200, &big);
    close(high);

    puts("-- timeouts");
    read(p[0], buf, 8);
    long start = ms();
    t = (struct timeval){0, 30000};
    r = set_of(p[0], -1);
    CALL(select(10, &r, NULL, NULL, &t));
    HOLDS(ms() - start >= 30);
    HOLDS(t.tv_sec == 0 && t.tv_usec == 0);
    show(10, &r);
    t = (struct timeval){5, 0};
    write(p[1], "x", 1);
    r = set_of(p[0], -1);
    CALL(select(10, &r, NULL, NULL, &t));
    HOLDS(t.tv_sec == 4 || (t.tv_sec == 5 && t.tv_usec == 0));
    read(p[0], buf, 8);

    puts("-- woken");
    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        write(p[1], "y", 1);
        _exit(0);
    }
    r = set_of(p[0], -1);
    CALL(select(10, &r, NULL, NULL, NULL));
    show(10, &r);
    wait(NULL);
    read(p[0], buf, 8);

    puts("-- signals");
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    ualarm(20000, 0);
    r = set_of(p[0], -1);
    CALL(select(10, &r, NULL, NULL, NULL));
    show(10, &r);
    sigset_t block, empty, now;
    sigemptyset(&empty), sigemptyset(&block), sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGUSR1);
    struct timespec pause = {1, 0};
    CALL(pselect(10, &r, NULL, NULL, &pause, &empty));
    sigprocmask(SIG_BLOCK, NULL, &now);
    HOLDS(sigismember(&now, SIGUSR1));
    raise(SIGUSR1);
    pause = (struct timespec){0, 10000000};
    r = set_of(p[0], -1);
    CALL(pselect(10, &r, NULL, NULL, &pause, NULL));
    CALL(pselect(10, NULL, NULL, NULL, &pause, &block));
    struct { const sigset_t *set; size_t size; } bad = {&empty, 4};
    CALL(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &pause, &bad));
    pause = (struct timespec){0, 2000000000};
    CALL(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &pause, NULL));
    CALL(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, UNMAPPED));
    pause = (struct timespec){0, 1000000};
    CALL(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &pause, NULL));
    HOLDS(pause.tv_sec == 0 && pause.tv_nsec == 0);
    return 0;
}
