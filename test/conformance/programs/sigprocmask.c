/* rt_sigprocmask, rt_sigpending, rt_sigsuspend, pause: blocking, order of delivery, queues of real-time signals. */
#include "check.h"
#include <sys/resource.h>
#include <sys/time.h>

static char order[256];
static void note(int signal, siginfo_t *info, void *context) {
    char one[32];
    snprintf(one, sizeof one, " %d:%d", signal >= SIGRTMIN ? signal - SIGRTMIN + 100 : signal,
             info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
    strcat(order, one);
}

static void show_order(const char *label) {
    printf("%s:%s\n", label, order);
    order[0] = 0;
}

int main(void) {
    unsigned long set = 0, old = ~0ul, all = ~0ul;
    CALL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, 8));
    printf("mask %lx\n", old);
    CALL(syscall(SYS_rt_sigprocmask, 77, NULL, &old, 8));
    CALL(syscall(SYS_rt_sigprocmask, 77, &set, &old, 8));
    CALL(syscall(SYS_rt_sigprocmask, -1, &set, &old, 8));
    CALL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 4));
    CALL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 16));
    CALL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, UNMAPPED, &old, 8));
    CALL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, UNMAPPED, 8));
    CALL(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 8));
    CALL(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8));
    CALL(syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &old, 8));
    printf("mask %lx\n", old);
    CALL(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, UNMAPPED, 8));
    CALL(syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &old, 8));
    printf("mask %lx\n", old);
    set = 0xff00;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
    set = 0x0f00;
    CALL(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, &old, 8));
    printf("old %lx\n", old);
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, 8);
    printf("new %lx\n", old);
    set = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);

    CALL(syscall(SYS_rt_sigpending, &old, 8));
    printf("pending %lx\n", old);
    CALL(syscall(SYS_rt_sigpending, &old, 16));
    CALL(syscall(SYS_rt_sigpending, UNMAPPED, 8));
    old = ~0ul;
    CALL(syscall(SYS_rt_sigpending, &old, 4));
    printf("half %lx\n", old);
    CALL(syscall(SYS_rt_sigsuspend, &set, 4));
    CALL(syscall(SYS_rt_sigsuspend, UNMAPPED, 8));

    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    static const int signals[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGALRM};
    for (int i = 0; i < 6; i++)
        sigaction(signals[i], &action, NULL);
    for (int i = 0; i < 4; i++)
        sigaction(SIGRTMIN + i, &action, NULL);
    sigset_t blocked, empty;
    sigfillset(&blocked);
    sigemptyset(&empty);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    union sigval value;
    for (int i = 0; i < 3; i++)
        for (int s = 3; s >= 0; s--) {
            value.sival_int = s * 10 + i;
            sigqueue(getpid(), SIGRTMIN + s, value);
        }
    for (int i = 0; i < 3; i++) {
        value.sival_int = i;
        sigqueue(getpid(), SIGUSR2, value);
        sigqueue(getpid(), SIGHUP, value);
    }
    raise(SIGUSR1);
    kill(getpid(), SIGTERM);
    sigset_t pending;
    sigpending(&pending);
    for (int s = 1; s < SIGRTMIN + 5; s++)
        if (sigismember(&pending, s) == 1)
            printf("pending %d\n", s >= SIGRTMIN ? s - SIGRTMIN + 100 : s);
    CHILD({
        /* Pending signals are not inherited, the mask is. */
        sigpending(&pending);
        printf("child: pending %d", sigismember(&pending, SIGUSR1));
        sigprocmask(SIG_BLOCK, NULL, &blocked);
        printf(" blocked %d\n", sigismember(&blocked, SIGUSR1));
    });
    sigprocmask(SIG_SETMASK, &empty, NULL);
    show_order("delivered");

    /* sigsuspend: all that was pending, and the mask is as before. */
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    raise(SIGUSR1);
    raise(SIGUSR2);
    CALL(sigsuspend(&empty));
    show_order("suspend");
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    printf("blocked again %d\n", sigismember(&now, SIGUSR1));
    /* A mask that still blocks one. */
    raise(SIGUSR1);
    raise(SIGUSR2);
    sigset_t but;
    sigemptyset(&but);
    sigaddset(&but, SIGUSR2);
    CALL(sigsuspend(&but));
    show_order("suspend but");
    sigprocmask(SIG_SETMASK, &empty, NULL);
    show_order("rest");
    /* An ignored signal does not end a suspension. */
    signal(SIGUSR1, SIG_IGN);
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        usleep(20000);
        kill(self, SIGUSR1);
        usleep(20000);
        kill(self, SIGUSR2);
        _exit(0);
    }
    signal(SIGCHLD, SIG_DFL);
    CALL(pause());
    show_order("pause");
    waitpid(pid, NULL, 0);
    struct itimerval soon = {{0}, {0, 10000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    CALL(pause());
    show_order("pause");

    /* The queue has a limit; a plain signal is always taken. */
    CHILD({
        struct rlimit limit = {3, 3};
        setuid(12345);
        setrlimit(RLIMIT_SIGPENDING, &limit);
        sigprocmask(SIG_SETMASK, &blocked, NULL);
        value.sival_int = 1;
        for (int i = 0; i < 5; i++)
            CALL(sigqueue(getpid(), SIGRTMIN, value));
        CALL(kill(getpid(), SIGRTMIN + 1));
        CALL(kill(getpid(), SIGUSR2));
        sigprocmask(SIG_SETMASK, &empty, NULL);
        show_order("limited");
        CALL(sigqueue(getpid(), SIGRTMIN, value));
        show_order("free again");
    });
    return 0;
}
