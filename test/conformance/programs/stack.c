/* The stack: growth up to the limit, overflow, its guard; large arrays in bss; deep recursion. */
#include "fault.h"
#include <sys/resource.h>

static char bss[64 << 20];
static int initialised[100000] = {1, 2, 3};

static volatile int sink;
static __attribute__((noinline)) int recurse(int depth) {
    volatile char frame[1000];
    frame[0] = depth;
    if (depth == 0)
        return 0;
    int result = recurse(depth - 1) + 1;
    sink += frame[0];
    return result;
}

static __attribute__((noinline)) int touch(long bytes) {
    volatile char *array = __builtin_alloca(bytes);
    array[0] = 1;
    array[bytes - 1] = 2;
    return array[0] + array[bytes - 1];
}

static __attribute__((noinline)) int endless(int depth) {
    volatile char frame[4000];
    frame[0] = 1;
    return endless(depth + 1) + frame[0];
}

static char handler_stack[65536];
static void on_overflow(int signal, siginfo_t *info, void *context) {
    char here;
    printf("SIG%s code %d on the alternate stack %d\n", sigabbrev_np(signal), info->si_code,
           &here >= handler_stack && &here < handler_stack + sizeof handler_stack);
    fflush(stdout);
    _exit(4);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        /* A new image has the limit that was set before. */
        printf("touched %d\n", touch(atol(argv[1])));
        return 0;
    }
    char self[256] = "";
    readlink("/proc/self/exe", self, sizeof self - 1);
    printf("recursion %d\n", recurse(5000));
    printf("touched %d\n", touch(6 << 20));
    printf("touched %d\n", touch(100));
    CHILD(touch(9 << 20));
    CHILD(endless(0));
    CHILD({
        stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
        sigaltstack(&stack, NULL);
        struct sigaction action = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigaction(SIGSEGV, &action, NULL);
        endless(0);
    });
    CHILD({
        /* A handler without a stack of its own finds none. */
        struct sigaction action = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO};
        sigaction(SIGSEGV, &action, NULL);
        endless(0);
    });
    /* The limit holds at once for growth, and for what is executed. */
    CHILD({
        struct rlimit limit = {1 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_STACK, &limit);
        touch(2 << 20);
    });
    CHILD({
        struct rlimit limit = {1 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_STACK, &limit);
        execl(self, "stack", "500000", NULL);
    });
    CHILD({
        struct rlimit limit = {1 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_STACK, &limit);
        execl(self, "stack", "2000000", NULL);
    });
    CHILD({
        struct rlimit limit = {32 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_STACK, &limit);
        execl(self, "stack", "30000000", NULL);
    });
    /* Below the stack pointer, far from it: the stack grows all the same. */
    char here;
    catch_faults();
    char area[65536];
    stack_t stack = {.ss_sp = area, .ss_size = sizeof area};
    sigaltstack(&stack, NULL);
    FAULT("far below", WRITE(&here - (7 << 20), 1));
    FAULT("too far below", WRITE(&here - (16 << 20), 1));
    HOLDS(fault_info.si_addr == &here - (16 << 20));
    FAULT("not executable", {
        char code[16] = {0xc3};
        ((void (*)(void))code)();
    });

    long zeros = 0;
    for (long i = 0; i < sizeof bss; i += PAGE)
        zeros += bss[i] == 0;
    printf("bss %ld\n", zeros);
    for (long i = 0; i < sizeof bss; i += 16 * PAGE)
        bss[i] = i >> 16;
    long right = 0;
    for (long i = 0; i < sizeof bss; i += 16 * PAGE)
        right += bss[i] == (char)(i >> 16) && bss[i + PAGE] == 0;
    printf("bss %ld\n", right);
    printf("data %d %d %d %d\n", initialised[0], initialised[2], initialised[3], initialised[99999]);
    return 0;
}
