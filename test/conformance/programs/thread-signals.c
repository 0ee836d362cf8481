/* Signals and threads: masks and pending sets of each, who takes what is sent to the process, stops, alternate stacks, limits. */
#include "check.h"
#include <pthread.h>
#include <sys/resource.h>
#include <ucontext.h>

static volatile int taken_by, count, order[16], ordered;
static volatile pid_t tids[8];
static volatile int stage[8];
static pthread_t threads[8];

static void note(int signal, siginfo_t *info, void *context) {
    taken_by = gettid();
    __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (ordered < 16)
        order[ordered++] = signal * 100 + info->si_value.sival_int;
}

static void mask(int how, int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(how, &set, NULL);
}

static int is_pending(int signal) {
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, signal);
}

static void reach(int index, int wanted) {
    while (stage[index] < wanted)
        usleep(500);
}

/* Has SIGUSR1 blocked until told. */
static void *blocker(void *argument) {
    int me = (long)argument;
    mask(SIG_BLOCK, SIGUSR1);
    tids[me] = gettid();
    stage[me] = 1;
    reach(me, 2);
    HOLDS(is_pending(SIGUSR1));
    HOLDS(count == 0);
    mask(SIG_UNBLOCK, SIGUSR1);
    HOLDS(count == 1 && taken_by == gettid());
    HOLDS(!is_pending(SIGUSR1));
    return NULL;
}

static void *sleeper(void *argument) {
    int me = (long)argument;
    sigset_t none;
    sigemptyset(&none);
    tids[me] = gettid();
    stage[me] = 1;
    sigsuspend(&none);
    HOLDS(taken_by == gettid());
    return NULL;
}

static void *waiter(void *argument) {
    int me = (long)argument;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    tids[me] = gettid();
    stage[me] = 1;
    siginfo_t info;
    struct timespec limit = {20, 0};
    int signal = sigtimedwait(&set, &info, &limit);
    printf("waited: %d code %d from self %d\n", signal, info.si_code, info.si_pid == getpid());
    return NULL;
}

static void *suspended(void *argument) {
    int me = (long)argument;
    sigset_t none;
    sigemptyset(&none);
    mask(SIG_BLOCK, SIGUSR1);
    tids[me] = gettid();
    stage[me] = 1;
    CALL(sigsuspend(&none));
    HOLDS(taken_by == gettid());
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    HOLDS(sigismember(&now, SIGUSR1));
    return NULL;
}

static void on_stack(int signal, siginfo_t *info, void *context) {
    stack_t stack;
    sigaltstack(NULL, &stack);
    char here;
    HOLDS(&here >= (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size);
    HOLDS(((ucontext_t *)context)->uc_stack.ss_sp == stack.ss_sp);
}

static void *stacked(void *argument) {
    stack_t stack, before;
    sigaltstack(NULL, &before);
    printf("a new thread has none: %d\n", before.ss_flags);
    stack.ss_sp = malloc(65536);
    stack.ss_size = 65536;
    stack.ss_flags = 0;
    CALL(sigaltstack(&stack, NULL));
    raise(SIGURG);
    return NULL;
}

static void *faulty(void *argument) {
    *(volatile int *)8 = 1;
    return NULL;
}

static void *fault_address;
static volatile int fault_code;
static void caught(int signal, siginfo_t *info, void *context) {
    fault_address = info->si_addr;
    fault_code = info->si_code;
    taken_by = gettid();
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void *repaired(void *argument) {
    __asm__ volatile("movl %%eax, (%0)" : : "r"(argument) : "memory");
    HOLDS(taken_by == gettid());
    HOLDS(fault_address == argument);
    printf("code %d\n", fault_code);
    return NULL;
}

static void *idle(void *argument) {
    for (;;)
        usleep(1000);
}

static volatile int ticks;
static void *ticking(void *argument) {
    for (;;)
        ticks++;
}

static void start(int index, void *(*body)(void *)) {
    stage[index] = 0;
    pthread_create(threads + index, NULL, body, (void *)(long)index);
    if (body != stacked && body != idle)
        reach(index, 1);
}

static long queue(pid_t pid, int signal, int value) {
    union sigval v = {.sival_int = value};
    return sigqueue(pid, signal, v);
}

int main(void) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    for (int signal = SIGRTMIN; signal <= SIGRTMIN + 3; signal++)
        sigaction(signal, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    pid_t me = getpid();

    /* To one thread that blocks it: nobody else takes it. */
    start(0, blocker);
    CALL(syscall(SYS_tgkill, me, tids[0], SIGUSR1));
    HOLDS(count == 0);
    HOLDS(!is_pending(SIGUSR1));
    stage[0] = 2;
    pthread_join(threads[0], NULL);

    /* To the process: whoever does not block it. */
    mask(SIG_BLOCK, SIGUSR1);
    start(1, sleeper);
    usleep(10000);
    kill(me, SIGUSR1);
    pthread_join(threads[1], NULL);
    HOLDS(taken_by == tids[1]);
    kill(me, SIGUSR1);
    HOLDS(is_pending(SIGUSR1));
    taken_by = 0;
    mask(SIG_UNBLOCK, SIGUSR1);
    HOLDS(taken_by == me);

    /* To a thread that waits for it; a thread's mask comes from its maker. */
    mask(SIG_BLOCK, SIGUSR2);
    start(2, waiter);
    usleep(10000);
    kill(me, SIGUSR2);
    pthread_join(threads[2], NULL);
    start(2, waiter);
    usleep(10000);
    int sent = syscall(SYS_tkill, tids[2], SIGUSR2);
    pthread_join(threads[2], NULL);
    printf("sent %d\n", sent);
    HOLDS(!is_pending(SIGUSR2));
    mask(SIG_UNBLOCK, SIGUSR2);
    mask(SIG_BLOCK, SIGUSR1);
    start(3, suspended);
    usleep(10000);
    pthread_kill(threads[3], SIGUSR1);
    pthread_join(threads[3], NULL);
    mask(SIG_UNBLOCK, SIGUSR1);

    /* Threads that are gone, or another's. */
    CALL(syscall(SYS_tgkill, me, tids[3], 0));
    CALL(syscall(SYS_tgkill, getppid(), me, 0));
    CALL(syscall(SYS_tgkill, me, 0, 0));
    CALL(syscall(SYS_tgkill, -1, me, 0));
    CALL(syscall(SYS_tgkill, me, me, 65));
    CALL(kill(tids[3], 0));

    /* Each has an alternate stack of its own. */
    action.sa_sigaction = on_stack;
    action.sa_flags |= SA_ONSTACK;
    sigaction(SIGURG, &action, NULL);
    start(4, stacked);
    pthread_join(threads[4], NULL);

    /* A fault is the thread's own. */
    action.sa_sigaction = caught;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    pthread_create(threads, NULL, repaired, (void *)64);
    pthread_join(threads[0], NULL);
    signal(SIGSEGV, SIG_DFL);
    CHILD(pthread_create(threads, NULL, faulty, NULL); pause());

    /* Stops stop all; a continuation continues all. */
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        volatile int *shown = &ticks;
        pthread_create(threads, NULL, ticking, NULL);
        pthread_create(threads + 1, NULL, idle, NULL);
        while (*shown < 1000)
            usleep(100);
        raise(SIGSTOP);
        usleep(100000);
        _exit(3);
    }
    int status;
    waitpid(pid, &status, WUNTRACED);
    show_status("stopped", status);
    siginfo_t info;
    kill(pid, SIGCONT);
    memset(&info, 0, sizeof info);
    CALL(waitid(P_PID, pid, &info, WCONTINUED));
    printf("signal %d code %d status %d\n", info.si_signo, info.si_code, info.si_status);
    waitpid(pid, &status, 0);
    show_status("continued", status);

    /* Real-time signals queue, in order, with their values; a limit on how many. */
    sigset_t all, old;
    sigemptyset(&all);
    for (int signal = SIGRTMIN; signal <= SIGRTMIN + 3; signal++)
        sigaddset(&all, signal);
    sigprocmask(SIG_BLOCK, &all, &old);
    ordered = 0;
    queue(me, SIGRTMIN + 2, 1);
    queue(me, SIGRTMIN + 1, 2);
    queue(me, SIGRTMIN + 2, 3);
    queue(me, SIGRTMIN + 1, 4);
    kill(me, SIGRTMIN + 3);
    kill(me, SIGRTMIN + 3);
    sigaction(SIGRTMIN + 1, NULL, &action);
    sigprocmask(SIG_SETMASK, &old, NULL);
    /* The handler of the lowest runs last, for each interrupts the one before. */
    int sum = 0;
    for (int i = 0; i < ordered; i++)
        sum += order[i] % 100;
    printf("queued %d sum %d\n", ordered, sum);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        become(45678, 45678);
        sigprocmask(SIG_BLOCK, &all, NULL);
        struct rlimit limit = {3, 3};
        setrlimit(RLIMIT_SIGPENDING, &limit);
        for (int i = 0; i < 5; i++)
            SHOW("sigqueue", queue(getpid(), SIGRTMIN, i));
        CALL(kill(getpid(), SIGRTMIN));
        CALL(kill(getpid(), SIGUSR2));
        struct timespec zero = {0, 0};
        for (int i = 0; i < 5; i++) {
            int got = sigtimedwait(&all, &info, &zero);
            printf("took %d value %d\n", got > 0 ? got - SIGRTMIN : -1, got > 0 ? info.si_value.sival_int : 0);
        }
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    show_status("limit", status);
    return 0;
}
