/* What becomes of a sleeping call when a signal comes: SA_RESTART, EINTR, stop and continue. */
#include "check.h"
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

static volatile sig_atomic_t count;
static void counter(int signal) { count++; }

static void install(int signal, int flags) {
    struct sigaction action = {.sa_handler = counter, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

static void after(int microseconds) {
    count = 0;
    ualarm(microseconds, 0);
}

int main(void) {
    int ends[2];
    char byte;
    CALL(pipe(ends));
    install(SIGALRM, SA_RESTART);
    after(20000);
    if (fork() == 0) {
        usleep(60000);
        write(ends[1], "x", 1);
        _exit(0);
    }
    CALL(read(ends[0], &byte, 1));
    printf("handlers %d\n", count);
    install(SIGALRM, 0);
    after(20000);
    CALL(read(ends[0], &byte, 1));
    printf("handlers %d\n", count);
    wait(NULL);

    pid_t pid = fork();
    if (pid == 0) {
        usleep(60000);
        _exit(5);
    }
    install(SIGALRM, SA_RESTART);
    after(20000);
    HOLDS(wait(NULL) == pid);
    pid = fork();
    if (pid == 0) {
        usleep(60000);
        _exit(5);
    }
    install(SIGALRM, 0);
    after(20000);
    CALL(wait(NULL));
    HOLDS(wait(NULL) == pid);

    install(SIGALRM, SA_RESTART);
    struct timespec second = {1, 0}, left;
    after(20000);
    CALL(nanosleep(&second, &left));
    HOLDS(left.tv_sec == 0 && left.tv_nsec > 900000000 && left.tv_nsec < 990000000);
    struct pollfd poller = {ends[0], POLLIN};
    after(20000);
    CALL(poll(&poller, 1, 1000));
    after(20000);
    CALL(pause());

    sigset_t alarm_set, empty, now;
    sigemptyset(&empty);
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm_set, NULL);
    after(5000);
    usleep(20000);
    printf("blocked: %d\n", count);
    CALL(ppoll(&poller, 1, &second, &empty));
    printf("ppoll: %d\n", count);
    sigprocmask(SIG_BLOCK, NULL, &now);
    HOLDS(sigismember(&now, SIGALRM) == 1);
    fd_set none;
    FD_ZERO(&none);
    after(5000);
    CALL(pselect(0, &none, NULL, NULL, &second, &empty));
    printf("pselect: %d\n", count);
    after(5000);
    CALL(sigsuspend(&empty));
    printf("sigsuspend: %d\n", count);
    after(5000);
    CALL(sigwaitinfo(&alarm_set, NULL));
    printf("sigwaitinfo: %d\n", count);
    struct timespec tick = {0, 5000000};
    CALL(sigtimedwait(&alarm_set, NULL, &tick));
    CALL(syscall(SYS_ppoll, &poller, 1, &tick, &empty, 4));
    CALL(syscall(SYS_ppoll, &poller, 1, &tick, BAD_POINTER, 8));
    sigprocmask(SIG_UNBLOCK, &alarm_set, NULL);

    /* A stop interrupts nothing for good: the sleep goes on to its end. */
    int status;
    pid = fork();
    if (pid == 0) {
        struct timespec start, end, span = {0, 100000000};
        clock_gettime(CLOCK_MONOTONIC, &start);
        int result = nanosleep(&span, NULL);
        clock_gettime(CLOCK_MONOTONIC, &end);
        long ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
        _exit(result == 0 && ms >= 99 && ms < 190 ? 3 : 4);
    }
    usleep(20000);
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    show_status("sleeper", status);
    usleep(20000);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    show_status("sleeper", status);

    pid = fork();
    if (pid == 0) {
        char got;
        long result = read(ends[0], &got, 1);
        _exit(result == 1 ? got : 99);
    }
    usleep(20000);
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    show_status("reader", status);
    write(ends[1], "\7", 1);
    usleep(20000);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    show_status("reader", status);

    /* Two signals at once: both handlers, in the order of their numbers from the inside out. */
    install(SIGUSR1, 0);
    install(SIGUSR2, 0);
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    sigprocmask(SIG_BLOCK, &both, NULL);
    count = 0;
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &both, NULL);
    printf("both: %d\n", count);
    return 0;
}
