/* timerfd_create, timerfd_settime, timerfd_gettime: relative, absolute, intervals, readiness, errors. */
#include "check.h"
#include <poll.h>
#include <sys/timerfd.h>

static uint64_t ticks;
static long get(int fd) { return read(fd, &ticks, 8); }
static long set(int fd, int flags, long first, long interval) {
    struct itimerspec t = {{interval / 1000, interval % 1000 * 1000000}, {first / 1000, first % 1000 * 1000000}};
    return timerfd_settime(fd, flags, &t, NULL);
}
static long now(int clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static void ready(const char *label, int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDNORM, 0};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", label, n, p.revents);
}

int main(void) {
    struct itimerspec t, old;
    puts("-- relative");
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    CALL(fcntl(fd, F_GETFD));
    CALL(fcntl(fd, F_GETFL));
    CALL(get(fd));
    ready("idle", fd);
    CALL(timerfd_gettime(fd, &t));
    HOLDS(t.it_value.tv_sec == 0 && t.it_value.tv_nsec == 0);
    CALL(set(fd, 0, 30, 0));
    CALL(get(fd));
    ready("armed", fd);
    CALL(timerfd_gettime(fd, &t));
    HOLDS(t.it_value.tv_sec == 0 && t.it_value.tv_nsec > 0 && t.it_value.tv_nsec <= 30000000);
    struct pollfd p = {fd, POLLIN, 0};
    CALL(poll(&p, 1, 5000));
    ready("due", fd);
    CALL(timerfd_gettime(fd, &t));
    HOLDS(t.it_value.tv_sec == 0 && t.it_value.tv_nsec == 0);
    CALL(get(fd));
    printf("%lu\n", ticks);
    CALL(get(fd));

    puts("-- interval");
    CALL(fcntl(fd, F_SETFL, 0));
    CALL(set(fd, 0, 10, 20));
    CALL(get(fd));
    HOLDS(ticks >= 1);
    usleep(70000);
    CALL(get(fd));
    HOLDS(ticks >= 3 && ticks < 1000);
    CALL(timerfd_gettime(fd, &t));
    HOLDS(t.it_interval.tv_nsec == 20000000 && t.it_value.tv_nsec <= 20000000);
    t = (struct itimerspec){{0, 0}, {100, 0}};
    CALL(timerfd_settime(fd, 0, &t, &old));
    HOLDS(old.it_interval.tv_nsec == 20000000 && old.it_value.tv_sec == 0 && old.it_value.tv_nsec <= 20000000);
    CALL(timerfd_settime(fd, 0, &t, &old));
    HOLDS(old.it_interval.tv_nsec == 0 && old.it_value.tv_sec >= 90);
    CALL(set(fd, 0, 0, 50));
    CALL(timerfd_gettime(fd, &t));
    HOLDS(t.it_value.tv_sec == 0 && t.it_value.tv_nsec == 0);
    printf("interval %ld\n", t.it_interval.tv_nsec);

    puts("-- absolute");
    CALL(set(fd, TFD_TIMER_ABSTIME, now(CLOCK_MONOTONIC) + 20, 0));
    CALL(get(fd));
    printf("%lu\n", ticks);
    CALL(set(fd, TFD_TIMER_ABSTIME, 1, 0));
    CALL(get(fd));
    printf("%lu\n", ticks);
    int real = timerfd_create(CLOCK_REALTIME, 0);
    CALL(set(real, TFD_TIMER_ABSTIME, now(CLOCK_REALTIME) + 20, 0));
    CALL(get(real));
    printf("%lu\n", ticks);
    CALL(set(real, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, now(CLOCK_REALTIME) + 20, 0));
    CALL(get(real));
    CALL(set(real, TFD_TIMER_ABSTIME, 1, 1000));
    CALL(get(real));
    HOLDS(ticks > 1000000000);
    int boot = timerfd_create(CLOCK_BOOTTIME, 0);
    CALL(set(boot, 0, 10, 0));
    CALL(get(boot));

    puts("-- setting anew drops what was due");
    CALL(fcntl(fd, F_SETFL, O_NONBLOCK));
    CALL(set(fd, 0, 1, 0));
    usleep(10000);
    ready("due", fd);
    CALL(set(fd, 0, 0, 0));
    ready("disarmed", fd);
    CALL(get(fd));

    puts("-- shared with a child");
    CALL(fcntl(fd, F_SETFL, 0));
    CHILD(set(fd, 0, 10, 0); CALL(get(fd)));
    CALL(fcntl(fd, F_SETFL, O_NONBLOCK));
    CALL(get(fd));

    puts("-- errors");
    CALL(timerfd_create(CLOCK_MONOTONIC, 1));
    CALL(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    CALL(timerfd_create(99, 0));
    CALL(timerfd_create(-1, 0));
    CHILD(become(1000, 1000); CALL(timerfd_create(CLOCK_BOOTTIME_ALARM, 0)));
    t = (struct itimerspec){{0, 0}, {0, 1000000000}};
    CALL(timerfd_settime(fd, 0, &t, NULL));
    t = (struct itimerspec){{0, -1}, {0, 1}};
    CALL(timerfd_settime(fd, 0, &t, NULL));
    t = (struct itimerspec){{0, 0}, {-1, 0}};
    CALL(timerfd_settime(fd, 0, &t, NULL));
    t = (struct itimerspec){{0, 0}, {0, 1}};
    CALL(timerfd_settime(fd, 8, &t, NULL));
    CALL(timerfd_settime(0, 0, &t, NULL));
    CALL(timerfd_settime(99, 0, &t, NULL));
    CALL(syscall(SYS_timerfd_settime, fd, 0, NULL, NULL));
    CALL(syscall(SYS_timerfd_settime, fd, 0, BAD_POINTER, NULL));
    CALL(timerfd_gettime(99, &t));
    CALL(timerfd_gettime(1, &t));
    CALL(syscall(SYS_timerfd_gettime, fd, BAD_POINTER));
    char small[4];
    CALL(read(fd, small, 4));
    CALL(write(fd, &ticks, 8));
    CALL(lseek(fd, 0, SEEK_SET));
    CALL(pread(fd, &ticks, 8, 0));
    char link[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int n = readlink(path, link, sizeof link);
    printf("%.*s\n", n, link);
    return 0;
}
