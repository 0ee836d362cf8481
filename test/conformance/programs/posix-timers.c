/* timer_create and its family: every way of telling, clocks, overruns, what exec and fork leave of them, errors. */
#include "check.h"
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

static long create(clockid_t clock, struct sigevent *event, int *id) {
    return syscall(SYS_timer_create, clock, event, id);
}

static long settime(int id, int flags, const struct itimerspec *value, struct itimerspec *old) {
    return syscall(SYS_timer_settime, id, flags, value, old);
}

static long gettime_(int id, struct itimerspec *value) {
    return syscall(SYS_timer_gettime, id, value);
}

static volatile int seen, code, value, timer, overruns, by;

static void note(int signal, siginfo_t *info, void *context) {
    seen++;
    code = info->si_code;
    value = info->si_value.sival_int;
    timer = info->si_timerid;
    overruns = info->si_overrun;
    by = gettid();
}

static void *target(void *argument) {
    *(volatile pid_t *)argument = gettid();
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    while (seen == 0)
        usleep(1000);
    HOLDS(by == gettid());
    return NULL;
}

static void told(union sigval given) {
    seen = given.sival_int;
}

static const struct itimerspec soon = {{0, 0}, {0, 5000000}}, often = {{0, 2000000}, {0, 2000000}}, off, far = {{7, 0}, {1000, 0}};

int main(int argc, char **argv) {
    int id = -1, other;
    struct itimerspec left;
    if (argc > 1) {
        CALL(gettime_(0, &left));
        usleep(10000);
        return 0;
    }
    char self[256] = "";
    readlink("/proc/self/exe", self, sizeof self - 1);
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    sigset_t set, old;

    /* By default SIGALRM with the timer's number. */
    CALL(create(CLOCK_MONOTONIC, NULL, &id));
    printf("id %d\n", id);
    CALL(gettime_(id, &left));
    printf("left %ld.%09ld\n", left.it_value.tv_sec, left.it_value.tv_nsec);
    CALL(settime(id, 0, &far, NULL));
    CALL(gettime_(id, &left));
    HOLDS(left.it_interval.tv_sec == 7 && left.it_value.tv_sec >= 900 && left.it_value.tv_sec < 1000);
    CALL(settime(id, 0, &soon, NULL));
    while (!seen)
        usleep(500);
    printf("seen %d code %d value %d timer %d overruns %d\n", seen, code, value, timer, overruns);
    CALL(gettime_(id, &left));
    printf("left %ld.%09ld\n", left.it_value.tv_sec, left.it_value.tv_nsec);
    CALL(syscall(SYS_timer_getoverrun, id));

    /* A signal of choice with a value; periodic; set anew; deleted. */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 77};
    CALL(create(CLOCK_REALTIME, &event, &other));
    HOLDS(other > id);
    seen = 0;
    CALL(settime(other, 0, &often, NULL));
    while (seen < 3)
        usleep(500);
    printf("code %d value %d\n", code, value);
    HOLDS(timer == other);
    CALL(settime(other, 0, &far, &left));
    HOLDS(left.it_interval.tv_nsec == 2000000 && left.it_value.tv_nsec <= 2000000 && left.it_value.tv_nsec > 0);
    CALL(settime(other, 0, &off, &left));
    printf("interval %ld about %ld\n", left.it_interval.tv_sec, (left.it_value.tv_sec + 1) / 100);
    CALL(gettime_(other, &left));
    printf("left %ld %ld\n", left.it_value.tv_sec, left.it_interval.tv_sec);

    /* Overruns while the signal is blocked. */
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, &old);
    seen = 0;
    settime(other, 0, &often, NULL);
    usleep(21000);
    siginfo_t info;
    struct timespec zero = {0, 0};
    HOLDS(sigtimedwait(&set, &info, &zero) == SIGRTMIN);
    HOLDS(info.si_overrun >= 8);
    HOLDS(syscall(SYS_timer_getoverrun, other) == info.si_overrun);
    usleep(5000);
    CALL(settime(other, 0, &off, NULL));
    HOLDS(sigtimedwait(&set, &info, &zero) == SIGRTMIN);
    sigprocmask(SIG_SETMASK, &old, NULL);
    CALL(syscall(SYS_timer_delete, other));
    CALL(syscall(SYS_timer_delete, other));
    CALL(gettime_(other, &left));
    CALL(syscall(SYS_timer_getoverrun, other));

    /* At a time; at one that has passed. */
    struct itimerspec at = {0};
    clock_gettime(CLOCK_REALTIME, &at.it_value);
    event.sigev_signo = SIGUSR1;
    CALL(create(CLOCK_REALTIME, &event, &other));
    seen = 0;
    at.it_value.tv_sec--;
    CALL(settime(other, TIMER_ABSTIME, &at, NULL));
    while (!seen)
        usleep(500);
    at.it_value.tv_sec++;
    at.it_value.tv_nsec += 10000000;
    if (at.it_value.tv_nsec >= 1000000000) {
        at.it_value.tv_nsec -= 1000000000;
        at.it_value.tv_sec++;
    }
    CALL(settime(other, TIMER_ABSTIME, &at, NULL));
    while (seen < 2)
        usleep(500);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    HOLDS(now.tv_sec > at.it_value.tv_sec ||
          (now.tv_sec == at.it_value.tv_sec && now.tv_nsec >= at.it_value.tv_nsec));
    syscall(SYS_timer_delete, other);

    /* Without a signal. */
    event.sigev_notify = SIGEV_NONE;
    CALL(create(CLOCK_BOOTTIME, &event, &other));
    seen = 0;
    settime(other, 0, &often, NULL);
    usleep(7000);
    CALL(gettime_(other, &left));
    HOLDS(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 2000000);
    settime(other, 0, &soon, NULL);
    usleep(7000);
    CALL(gettime_(other, &left));
    printf("seen %d left %ld\n", seen, left.it_value.tv_nsec);
    syscall(SYS_timer_delete, other);

    /* To one thread. */
    pthread_t thread;
    volatile pid_t tid = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_create(&thread, NULL, target, (void *)&tid);
    while (!tid)
        usleep(500);
    event.sigev_notify = SIGEV_THREAD_ID;
    event._sigev_un._tid = tid;
    event.sigev_signo = SIGUSR1;
    CALL(create(CLOCK_MONOTONIC, &event, &other));
    settime(other, 0, &soon, NULL);
    pthread_join(thread, NULL);
    syscall(SYS_timer_delete, other);

    /* A thread of the C library's. */
    seen = 0;
    timer_t named;
    struct sigevent call = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = told, .sigev_value.sival_int = 5};
    HOLDS(timer_create(CLOCK_MONOTONIC, &call, &named) == 0);
    HOLDS(timer_settime(named, 0, &soon, NULL) == 0);
    while (!seen)
        usleep(500);
    printf("called with %d\n", seen);
    timer_delete(named);

    /* CPU time. */
    event.sigev_notify = SIGEV_SIGNAL;
    for (int i = 0; i < 2; i++) {
        clockid_t clock = i ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID;
        CALL(create(clock, &event, &other));
        seen = 0;
        struct timespec before, after;
        clock_gettime(clock, &before);
        settime(other, 0, &soon, NULL);
        while (!seen)
            ;
        clock_gettime(clock, &after);
        HOLDS((after.tv_sec - before.tv_sec) * 1000000000l + after.tv_nsec - before.tv_nsec >= 5000000);
        syscall(SYS_timer_delete, other);
    }

    /* Neither a child nor another program has them. */
    settime(id, 0, &far, NULL);
    CHILD(CALL(gettime_(id, &left)));
    CHILD(create(CLOCK_MONOTONIC, NULL, &other); settime(other, 0, &soon, NULL); execl(self, self, "exec", NULL));

    /* Errors. */
    struct itimerspec wrong = {{0, 0}, {0, 1000000000}}, negative = {{-1, 0}, {1, 0}};
    CALL(settime(id, 0, NULL, NULL));
    CALL(settime(id, 0, &wrong, NULL));
    CALL(settime(id, 0, &negative, NULL));
    CALL(settime(id, 0, UNMAPPED, NULL));
    CALL(settime(id, 0, &far, UNMAPPED));
    CALL(settime(99, 0, &far, NULL));
    CALL(gettime_(id, UNMAPPED));
    CALL(gettime_(-1, &left));
    CALL(create(99, NULL, &other));
    CALL(create(CLOCK_MONOTONIC_RAW, NULL, &other));
    CALL(create(CLOCK_MONOTONIC_COARSE, NULL, &other));
    CALL(create(CLOCK_MONOTONIC, NULL, UNMAPPED));
    CALL(create(CLOCK_MONOTONIC, UNMAPPED, &other));
    event.sigev_signo = 65;
    CALL(create(CLOCK_MONOTONIC, &event, &other));
    event.sigev_signo = 0;
    CALL(create(CLOCK_MONOTONIC, &event, &other));
    event.sigev_signo = SIGUSR1;
    event.sigev_notify = 9;
    CALL(create(CLOCK_MONOTONIC, &event, &other));
    event.sigev_notify = SIGEV_THREAD_ID;
    event._sigev_un._tid = 1;
    CALL(create(CLOCK_MONOTONIC, &event, &other));
    return 0;
}
