/* rt_sigaction and how handlers are entered: flags, masks, nesting, what is reset; errors. */
#include "check.h"
#include <setjmp.h>

/* As the kernel has it. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

static volatile sig_atomic_t depth, deepest, count;
static void nest(int signal) {
    count++;
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (count < 3)
        raise(signal);
    depth--;
}

static char order[64];
static void letter(int signal) {
    strncat(order, signal == SIGUSR1 ? "1" : signal == SIGUSR2 ? "2" : "a", 1);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    if (signal == SIGUSR1) {
        strcat(order, sigismember(&now, SIGUSR1) ? "(own" : "(");
        strcat(order, sigismember(&now, SIGUSR2) ? " 2" : "");
        strcat(order, sigismember(&now, SIGKILL) ? " kill" : "");
        raise(SIGUSR2);
        strcat(order, ")");
    }
}

static void plain(int signal) { count++; }
static int arguments;
static void three(int signal, siginfo_t *info, void *context) {
    arguments = info != NULL && context != NULL && info->si_signo == signal;
    count++;
}

static void install(int signal, void (*handler)(int), int flags, int blocked) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    if (blocked)
        sigaddset(&action.sa_mask, blocked);
    if (sigaction(signal, &action, NULL) != 0)
        printf("sigaction: %s\n", errno_name(errno));
}

static void show(int signal) {
    struct sigaction action;
    sigaction(signal, NULL, &action);
    printf("SIG%s: %s flags %x mask usr2 %d\n", sigabbrev_np(signal),
           action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "caught",
           action.sa_flags & ~0x04000000, sigismember(&action.sa_mask, SIGUSR2));
}

static sigjmp_buf jump;
static void jumper(int signal) { siglongjmp(jump, signal); }

int main(void) {
    struct kernel_action old, bad = {.handler = SIG_IGN};
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 8));
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 4));
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 16));
    CALL(syscall(SYS_rt_sigaction, 0, NULL, &old, 8));
    CALL(syscall(SYS_rt_sigaction, 64, NULL, &old, 8));
    CALL(syscall(SYS_rt_sigaction, 65, NULL, &old, 8));
    CALL(syscall(SYS_rt_sigaction, -1, NULL, &old, 8));
    CALL(syscall(SYS_rt_sigaction, SIGKILL, NULL, &old, 8));
    CALL(syscall(SYS_rt_sigaction, SIGKILL, &bad, NULL, 8));
    CALL(syscall(SYS_rt_sigaction, SIGSTOP, &bad, NULL, 8));
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, UNMAPPED, NULL, 8));
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, NULL, UNMAPPED, 8));
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, BAD_POINTER, NULL, 8));
    show(SIGUSR1);
    /* The new action stands although the old one could not be told. */
    CALL(syscall(SYS_rt_sigaction, SIGUSR1, &bad, UNMAPPED, 8));
    show(SIGUSR1);
    /* Unknown flags are dropped, SIGKILL and SIGSTOP leave the mask. */
    struct kernel_action all = {.handler = SIG_IGN, .flags = ~0ul, .mask = ~0ul};
    CALL(syscall(SYS_rt_sigaction, SIGUSR2, &all, NULL, 8));
    CALL(syscall(SYS_rt_sigaction, SIGUSR2, NULL, &old, 8));
    printf("flags %lx mask %lx\n", old.flags, old.mask);
    signal(SIGUSR2, SIG_DFL);

    install(SIGUSR1, nest, 0, 0);
    count = depth = deepest = 0;
    raise(SIGUSR1);
    printf("deferred: count %d deepest %d\n", count, deepest);
    install(SIGUSR1, nest, SA_NODEFER, 0);
    count = depth = deepest = 0;
    raise(SIGUSR1);
    printf("SA_NODEFER: count %d deepest %d\n", count, deepest);

    install(SIGUSR1, letter, 0, 0);
    install(SIGUSR2, letter, 0, 0);
    raise(SIGUSR1);
    printf("%s\n", order);
    order[0] = 0;
    install(SIGUSR1, letter, 0, SIGUSR2);
    raise(SIGUSR1);
    printf("%s\n", order);
    order[0] = 0;
    install(SIGUSR1, letter, SA_NODEFER, SIGKILL);
    raise(SIGUSR1);
    printf("%s\n", order);
    install(SIGUSR1, letter, SA_RESETHAND, SIGUSR2);
    show(SIGUSR1);
    order[0] = 0;
    raise(SIGUSR1);
    printf("%s\n", order);
    show(SIGUSR1);
    CHILD({
        install(SIGUSR1, plain, SA_RESETHAND, 0);
        raise(SIGUSR1);
        printf("once\n");
        fflush(stdout);
        raise(SIGUSR1);
    });

    struct sigaction action = {.sa_sigaction = three, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("three arguments: %d\n", arguments);

    /* Setting a pending signal to be ignored drops it, whatever blocks it. */
    sigset_t usr1, pending;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigaddset(&usr1, SIGCHLD);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    raise(SIGCHLD);
    sigpending(&pending);
    printf("pending %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGCHLD));
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigpending(&pending);
    printf("pending %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGCHLD));
    /* Ignored while blocked: kept, as a handler may come. */
    raise(SIGUSR1);
    sigpending(&pending);
    printf("pending %d\n", sigismember(&pending, SIGUSR1));
    count = 0;
    signal(SIGUSR1, plain);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    printf("count %d\n", count);

    /* Out of a handler by siglongjmp: the mask is as sigsetjmp saw it; by longjmp it stays. */
    sigset_t now;
    install(SIGUSR1, jumper, 0, SIGUSR2);
    for (int save = 1; save >= 0; save--) {
        int taken = sigsetjmp(jump, save);
        if (taken == 0)
            raise(SIGUSR1);
        sigprocmask(SIG_BLOCK, NULL, &now);
        printf("save %d: jumped with %d, blocked %d %d\n", save, taken == SIGUSR1, sigismember(&now, SIGUSR1),
               sigismember(&now, SIGUSR2));
    }
    sigemptyset(&now);
    sigprocmask(SIG_SETMASK, &now, NULL);
    jmp_buf plain_jump;
    int value = setjmp(plain_jump);
    if (value < 3)
        longjmp(plain_jump, value + 1);
    printf("setjmp %d\n", value);
    /* A loop of faults left by siglongjmp leaks no stack. */
    install(SIGSEGV, jumper, 0, 0);
    volatile int faults = 0;
    for (int i = 0; i < 500; i++)
        if (sigsetjmp(jump, 1) == 0)
            *(volatile int *)8 = i;
        else
            faults++;
    printf("faults %d\n", faults);

    /* What fork keeps. */
    install(SIGUSR1, plain, 0, 0);
    signal(SIGUSR2, SIG_IGN);
    count = 0;
    CHILD({
        raise(SIGUSR1);
        raise(SIGUSR2);
        printf("in the child: %d\n", count);
    });
    printf("in the parent: %d\n", count);
    /* Default actions. */
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1,
        SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM,
        SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS, 34, 50, 64};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            signal(signals[i], SIG_DFL);
            kill(getpid(), signals[i]);
            _exit(0);
        }
        int status;
        waitpid(pid, &status, 0);
        printf("%d: %s %d\n", signals[i], WIFSIGNALED(status) ? "killed by" : "exited", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return 0;
}
