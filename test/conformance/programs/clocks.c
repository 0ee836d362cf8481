/* clock_gettime, clock_getres, clock_settime, gettimeofday, time. */
#include "check.h"
#include <sys/time.h>

static long long ns(struct timespec t) { return t.tv_sec * 1000000000LL + t.tv_nsec; }

int main(void) {
    struct timespec a, b;
    static const int clocks[] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int i = 0; i < 8; i++) {
        printf("clock %d: ", clocks[i]);
        int r = syscall(SYS_clock_gettime, clocks[i], &a);
        int s = syscall(SYS_clock_gettime, clocks[i], &b);
        printf("%d %d in order %d valid %d\n", r, s, ns(b) >= ns(a), a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
    }
    struct timespec nap = {0, 3000000};
    clock_gettime(CLOCK_MONOTONIC, &a);
    nanosleep(&nap, NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    HOLDS(ns(b) - ns(a) >= 3000000);
    CALL(syscall(SYS_clock_gettime, 99, &a));
    CALL(syscall(SYS_clock_gettime, -1, &a));
    CALL(syscall(SYS_clock_gettime, 0, BAD_POINTER));
    CALL(syscall(SYS_clock_gettime, 0, UNMAPPED));
    CALL(syscall(SYS_clock_getres, 1, &a));
    printf("resolution %ld %ld\n", a.tv_sec, a.tv_nsec);
    CALL(syscall(SYS_clock_getres, 1, NULL));
    CALL(syscall(SYS_clock_getres, 99, &a));
    CALL(syscall(SYS_clock_settime, 1, &a));
    CALL(syscall(SYS_clock_settime, 0, UNMAPPED));
    a.tv_nsec = 1000000000;
    CALL(syscall(SYS_clock_settime, 0, &a));
    struct timeval t;
    struct timezone zone = {7, 7};
    CALL(syscall(SYS_gettimeofday, &t, &zone));
    printf("zone %d %d\n", zone.tz_minuteswest, zone.tz_dsttime);
    CALL(syscall(SYS_gettimeofday, NULL, NULL));
    CALL(syscall(SYS_gettimeofday, UNMAPPED, NULL));
    time_t now;
    HOLDS(syscall(SYS_time, &now) == now);
    HOLDS(syscall(SYS_time, NULL) - t.tv_sec <= 1);
    CALL(syscall(SYS_time, UNMAPPED));
    clockid_t cpu;
    clock_getcpuclockid(getpid(), &cpu);
    CALL(clock_gettime(cpu, &a));
    for (volatile int i = 0; i < 3000000; i++)
        ;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    HOLDS(ns(b) > ns(a));
    return 0;
}
