/* rt_sigtimedwait: takes pending signals, times out, is interrupted; errors. */
#include "check.h"
#include <sys/time.h>

static volatile sig_atomic_t count;
static void counter(int signal) { count++; }

static long raw(sigset_t *set, siginfo_t *info, struct timespec *limit, size_t size) {
    return syscall(SYS_rt_sigtimedwait, set, info, limit, size);
}

int main(void) {
    sigset_t set;
    siginfo_t info;
    struct timespec none = {0, 0}, tick = {0, 5000000}, second = {1, 0}, wrong = {0, 1000000000}, before = {-1, 0};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    CALL(raw(&set, &info, &none, 8));
    CALL(raw(&set, &info, &tick, 8));
    CALL(raw(&set, &info, &wrong, 8));
    CALL(raw(&set, &info, &before, 8));
    CALL(raw(&set, &info, &tick, 4));
    CALL(raw(UNMAPPED, &info, &tick, 8));
    CALL(raw(&set, &info, UNMAPPED, 8));
    CALL(raw(NULL, &info, &tick, 8));
    raise(SIGUSR1);
    CALL(raw(&set, UNMAPPED, &none, 8));
    CALL(raw(&set, NULL, &none, 8));
    raise(SIGUSR1);
    CALL(raw(&set, NULL, &none, 8));

    union sigval value = {.sival_int = 5};
    sigqueue(getpid(), SIGRTMIN, value);
    value.sival_int = 6;
    sigqueue(getpid(), SIGRTMIN, value);
    sigqueue(getpid(), SIGUSR2, value);
    kill(getpid(), SIGUSR1);
    for (int i = 0; i < 4; i++) {
        memset(&info, 0xff, sizeof info);
        int got = sigwaitinfo(&set, &info);
        printf("got %d code %d value %d\n", got == SIGRTMIN ? 100 : got, info.si_code,
               info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
    }
    CALL(sigtimedwait(&set, &info, &none));

    /* A child tells of its end. */
    pid_t pid = fork();
    if (pid == 0) {
        usleep(10000);
        _exit(7);
    }
    HOLDS(sigwaitinfo(&set, &info) == SIGCHLD);
    printf("code %d pid %d status %d\n", info.si_code, info.si_pid == pid, info.si_status);
    waitpid(pid, NULL, 0);

    /* One that is not waited for interrupts, if it has a handler. */
    signal(SIGALRM, counter);
    struct itimerval soon = {{0}, {0, 10000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    CALL(sigwaitinfo(&set, &info));
    printf("count %d\n", count);
    struct sigaction restart = {.sa_handler = counter, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &restart, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    CALL(sigtimedwait(&set, &info, &second));
    printf("count %d\n", count);
    /* Waited for though not blocked: taken, the handler does not run. */
    signal(SIGHUP, counter);
    pid_t self = getpid();
    pid = fork();
    if (pid == 0) {
        usleep(20000);
        kill(self, SIGHUP);
        _exit(0);
    }
    sigset_t hup;
    sigemptyset(&hup);
    sigaddset(&hup, SIGHUP);
    count = 0;
    CALL(sigtimedwait(&hup, &info, &second));
    printf("count %d pid %d\n", count, info.si_pid == pid);
    waitpid(pid, NULL, 0);
    /* Ignored by default, blocked and waited for: kept for the waiter. */
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    CALL(sigtimedwait(&child, &info, &second));
    int got;
    raise(SIGUSR2);
    CALL(sigwait(&set, &got));
    printf("sigwait %d\n", got);
    /* SIGKILL and SIGSTOP cannot be waited for. */
    sigset_t kill_set;
    sigemptyset(&kill_set);
    sigaddset(&kill_set, SIGKILL);
    CALL(sigtimedwait(&kill_set, &info, &none));
    pid = fork();
    if (pid == 0) {
        sigwaitinfo(&kill_set, NULL);
        _exit(1);
    }
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    show_status("killed", status);
    return 0;
}
