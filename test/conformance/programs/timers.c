/* alarm, setitimer, getitimer, nanosleep, clock_nanosleep: values, errors, inheritance. */
#include "check.h"
#include <sys/time.h>

static volatile sig_atomic_t count;
static void counter(int signal) { count++; }

static long long now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long raw(clockid_t clock, int flags, const struct timespec *request, struct timespec *left) {
    return syscall(SYS_clock_nanosleep, clock, flags, request, left);
}

int main(void) {
    signal(SIGALRM, counter);
    struct itimerval value = {{0}, {0}}, old;
    CALL(alarm(0));
    CALL(alarm(100));
    CALL(alarm(50));
    CALL(getitimer(ITIMER_REAL, &value));
    HOLDS(value.it_value.tv_sec == 49 || value.it_value.tv_sec == 50);
    HOLDS(value.it_interval.tv_sec == 0 && value.it_interval.tv_usec == 0);
    CALL(alarm(0));
    getitimer(ITIMER_REAL, &value);
    printf("%ld %ld\n", value.it_value.tv_sec, value.it_value.tv_usec);
    value.it_value.tv_sec = 10;
    value.it_value.tv_usec = 400000;
    value.it_interval.tv_sec = 7;
    CALL(setitimer(ITIMER_REAL, &value, NULL));
    CALL(setitimer(ITIMER_REAL, NULL, &old));
    HOLDS(old.it_value.tv_sec == 10 && old.it_value.tv_usec <= 400000 && old.it_interval.tv_sec == 7);
    getitimer(ITIMER_REAL, &value);
    printf("%ld %ld\n", value.it_value.tv_sec, value.it_value.tv_usec);
    value.it_value.tv_sec = 10;
    value.it_value.tv_usec = 400000;
    setitimer(ITIMER_REAL, &value, NULL);
    CALL(alarm(3));
    value.it_value.tv_usec = 600000;
    setitimer(ITIMER_REAL, &value, NULL);
    CALL(alarm(0));
    CALL(alarm(4000000000u));
    CALL(alarm(0) > 2000000000);
    CALL(syscall(SYS_getitimer, 3, &value));
    CALL(syscall(SYS_getitimer, -1, &value));
    CALL(syscall(SYS_getitimer, 0, UNMAPPED));
    CALL(syscall(SYS_getitimer, 0, NULL));
    CALL(syscall(SYS_setitimer, 3, &value, NULL));
    CALL(syscall(SYS_setitimer, 0, UNMAPPED, NULL));
    value.it_value.tv_usec = 1000000;
    CALL(setitimer(ITIMER_REAL, &value, NULL));
    value.it_value.tv_usec = -1;
    CALL(setitimer(ITIMER_REAL, &value, NULL));
    value.it_value.tv_usec = 0;
    value.it_value.tv_sec = -1;
    CALL(setitimer(ITIMER_REAL, &value, NULL));
    value.it_value.tv_sec = 0;
    value.it_interval.tv_usec = 2000000;
    CALL(setitimer(ITIMER_REAL, &value, NULL));

    /* It fires, again and again. */
    value.it_value.tv_usec = 5000;
    value.it_interval.tv_sec = 0;
    value.it_interval.tv_usec = 5000;
    long long start = now(CLOCK_MONOTONIC);
    setitimer(ITIMER_REAL, &value, NULL);
    while (count < 4)
        pause();
    HOLDS(now(CLOCK_MONOTONIC) - start >= 20000000);
    /* Blocked, it is pending once. */
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct timespec nap = {0, 60000000}, left = {9, 9};
    CALL(nanosleep(&nap, &left));
    printf("left %ld %ld\n", left.tv_sec, left.tv_nsec);
    memset(&value, 0, sizeof value);
    setitimer(ITIMER_REAL, &value, NULL);
    count = 0;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("count %d\n", count);
    /* A child has none; exec keeps it. */
    value.it_value.tv_sec = 100;
    setitimer(ITIMER_REAL, &value, NULL);
    CHILD({
        getitimer(ITIMER_REAL, &value);
        printf("child %ld %ld\n", value.it_value.tv_sec, value.it_value.tv_usec);
        value.it_value.tv_usec = 30000;
        setitimer(ITIMER_REAL, &value, NULL);
        execl("/bin/sleep", "sleep", "10", NULL);
        execl("/bin/busybox", "sleep", "10", NULL);
    });
    alarm(0);

    struct timespec bad = {0, 1000000000}, negative = {-1, 0}, zero = {0, 0};
    CALL(nanosleep(&zero, NULL));
    CALL(nanosleep(&bad, NULL));
    CALL(nanosleep(&negative, NULL));
    bad.tv_nsec = -1;
    CALL(nanosleep(&bad, NULL));
    CALL(syscall(SYS_nanosleep, UNMAPPED, NULL));
    CALL(syscall(SYS_nanosleep, NULL, NULL));
    CALL(raw(CLOCK_MONOTONIC, 0, &bad, NULL));
    CALL(raw(99, 0, &zero, NULL));
    CALL(raw(CLOCK_THREAD_CPUTIME_ID, 0, &zero, NULL));
    CALL(raw(CLOCK_MONOTONIC_RAW, 0, &zero, NULL));
    CALL(raw(CLOCK_REALTIME_COARSE, 0, &zero, NULL));
    CALL(raw(CLOCK_BOOTTIME, 0, &zero, NULL));
    CALL(raw(CLOCK_TAI, 0, &zero, NULL));
    CALL(raw(CLOCK_MONOTONIC, 0, UNMAPPED, NULL));
    CALL(raw(CLOCK_MONOTONIC, 7, &zero, NULL));
    struct timespec at;
    start = now(CLOCK_MONOTONIC);
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += 15000000;
    if (at.tv_nsec >= 1000000000)
        at.tv_sec++, at.tv_nsec -= 1000000000;
    CALL(raw(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL));
    HOLDS(now(CLOCK_MONOTONIC) - start >= 15000000);
    CALL(raw(CLOCK_MONOTONIC, TIMER_ABSTIME, &zero, NULL));
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec -= 5;
    CALL(raw(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL));
    /* Interrupted: what is left, but not of an absolute one. */
    nap.tv_sec = 2;
    nap.tv_nsec = 0;
    left.tv_sec = 9;
    ualarm(150000, 0);
    CALL(raw(CLOCK_MONOTONIC, 0, &nap, &left));
    HOLDS(left.tv_sec == 1);
    ualarm(150000, 0);
    CALL(raw(CLOCK_MONOTONIC, 0, &nap, UNMAPPED));
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += 2;
    left.tv_sec = 9;
    ualarm(150000, 0);
    CALL(raw(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, &left));
    printf("left %ld\n", left.tv_sec);
    /* Several sleepers wake in order. */
    int ends[2];
    pipe(ends);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            usleep((4 - i) * 200000);
            char c = '0' + i;
            write(ends[1], &c, 1);
            _exit(0);
        }
    for (int i = 0; i < 4; i++)
        wait(NULL);
    char order[5] = "";
    read(ends[0], order, 4);
    printf("order %s\n", order);
    return 0;
}
