/* Handlers: what they find in siginfo and ucontext, and that everything is as before when they return. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

static volatile sig_atomic_t count;
static siginfo_t last;
static sigjmp_buf jump;
static volatile double result;
static volatile long trap;

static void counter(int signal, siginfo_t *info, void *context) {
    count++;
    last = *info;
    /* Disturbs every floating-point register that the compiler cares to use. */
    result = signal * 1.5 / 7.0;
    __asm__ volatile("fninit; fldpi; fldl2t; fldlg2" ::: "st", "st(1)", "st(2)");
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15" ::: "xmm0", "xmm7", "xmm15");
}

static void jumper(int signal, siginfo_t *info, void *context) {
    last = *info;
    trap = ((ucontext_t *)context)->uc_mcontext.gregs[REG_TRAPNO];
    siglongjmp(jump, signal);
}

static void skipper(int signal, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    HOLDS(c->uc_mcontext.gregs[REG_RIP] == (long)info->si_addr);
    c->uc_mcontext.gregs[REG_RIP] += 2;
    c->uc_mcontext.gregs[REG_RAX] = 42;
    c->uc_mcontext.gregs[REG_EFL] |= 1;
    c->uc_mcontext.fpregs->_xmm[3].element[0] = 1234;
}

static void stacked(int signal, siginfo_t *info, void *context) {
    char here;
    stack_t stack;
    sigaltstack(NULL, &stack);
    printf("flags %d, on it: %d, aligned: %d\n", stack.ss_flags,
           &here >= (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size,
           ((unsigned long)__builtin_frame_address(0) & 15) == 0);
    stack.ss_flags = 0;
    CALL(sigaltstack(&stack, NULL));
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

#define FAULT(label, ...)                                                                                              \
    do {                                                                                                               \
        int taken = sigsetjmp(jump, 1);                                                                                \
        if (taken == 0) {                                                                                              \
            __VA_ARGS__;                                                                                               \
            printf("%s: no fault\n", label);                                                                           \
        } else                                                                                                         \
            printf("%s: SIG%s code %d trap %ld\n", label, sigabbrev_np(taken), last.si_code, trap);                    \
        fflush(stdout);                                                                                                \
    } while (0)

int main(void) {
    install(SIGUSR1, counter, 0);
    long double extended = 3.25L;
    double plain = 2.5;
    unsigned short control = 0x27f, after;
    unsigned mxcsr = 0x3f80, mxcsr_after;
    __asm__ volatile("fldcw %0; ldmxcsr %1" : : "m"(control), "m"(mxcsr));
    long registers[4];
    register long r12 __asm__("r12") = 0x1212121212121212, r13 __asm__("r13") = 0x1313;
    __asm__ volatile("" : "+r"(r12), "+r"(r13));
    raise(SIGUSR1);
    __asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(after), "=m"(mxcsr_after));
    registers[0] = r12, registers[1] = r13;
    printf("count %d code %d pid %d\n", count, last.si_code == SI_TKILL, last.si_pid == getpid());
    printf("%g %g %lx %lx %x %x\n", (double)extended, plain, registers[0], registers[1], after, mxcsr_after);
    control = 0x37f, mxcsr = 0x1f80;
    __asm__ volatile("fldcw %0; ldmxcsr %1" : : "m"(control), "m"(mxcsr));
    kill(getpid(), SIGUSR1);
    printf("count %d code %d uid %d\n", count, last.si_code == SI_USER, last.si_uid == getuid());
    union sigval value = {.sival_int = 77};
    sigqueue(getpid(), SIGUSR1, value);
    printf("count %d code %d value %d\n", count, last.si_code == SI_QUEUE, last.si_value.sival_int);

    install(SIGSEGV, jumper, 0);
    install(SIGFPE, jumper, 0);
    install(SIGILL, jumper, 0);
    install(SIGBUS, jumper, 0);
    install(SIGTRAP, jumper, 0);
    FAULT("write low", *(volatile int *)0x1234 = 1);
    HOLDS(last.si_addr == (void *)0x1234);
    FAULT("read low", (void)*(volatile int *)0x4321);
    FAULT("write code", *(volatile char *)(void *)main = 1);
    HOLDS(last.si_addr == (void *)main);
    FAULT("run data", ((void (*)(void)) & result)());
    HOLDS(last.si_addr == (void *)&result);
    FAULT("divide", __asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx" ::: "eax", "ecx", "edx"));
    FAULT("ud2", __asm__ volatile("ud2"));
    FAULT("int3", __asm__ volatile("int3"));
    FAULT("hlt", __asm__ volatile("hlt"));
    FAULT("int 0x55", __asm__ volatile("int $0x55"));
    FAULT("non-canonical", *(volatile int *)0x8000000000000000 = 1);
    FAULT("single step",
          __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" ::: "memory", "cc"));
    FAULT("x87", {
        unsigned short unmasked = 0x37b;
        __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdivp; fwait" : : "m"(unmasked) : "st");
    });
    __asm__ volatile("fninit");
    FAULT("sse", {
        unsigned unmasked = 0x1d80;
        __asm__ volatile("ldmxcsr %0; xorpd %%xmm1, %%xmm1; cvtsi2sd %1, %%xmm0; divsd %%xmm1, %%xmm0"
                         : : "m"(unmasked), "r"(1) : "xmm0", "xmm1");
    });
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));

    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page + 4096, 4096, PROT_NONE);
    FAULT("across pages", *(volatile long *)(page + 4092) = 1);
    HOLDS(last.si_addr == page + 4096);
    HOLDS(*(int *)(page + 4092) == 0);

    install(SIGILL, skipper, 0);
    int rax = 0, carry = 0;
    unsigned xmm = 0;
    __asm__ volatile("clc; ud2; setc %b1; movd %%xmm3, %2" : "=&a"(rax), "=&c"(carry), "=&r"(xmm) : "1"(0) : "xmm3", "cc");
    printf("skipped: %d %d %u\n", rax, carry, xmm);

    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
    CALL(sigaltstack(&stack, &old));
    printf("before: %d\n", old.ss_flags == SS_DISABLE);
    stack.ss_size = 100;
    CALL(sigaltstack(&stack, NULL));
    stack.ss_flags = 77;
    CALL(sigaltstack(&stack, NULL));
    CALL(sigaltstack(UNMAPPED, NULL));
    install(SIGUSR2, stacked, SA_ONSTACK);
    raise(SIGUSR2);
    install(SIGSEGV, jumper, SA_ONSTACK);
    FAULT("overflow", {
        volatile char *deep = __builtin_alloca(64 << 20);
        deep[0] = 1;
    });
    {
        volatile char *deep = __builtin_alloca(4 << 20);
        deep[0] = 1;
        printf("grown: %d\n", deep[0]);
    }
    CHILD({
        signal(SIGSEGV, SIG_DFL);
        *(volatile int *)8 = 1;
    });
    CHILD({
        /* A handler with nowhere to put its frame. */
        install(SIGSEGV, jumper, 0);
        __asm__ volatile("movq $0x100, %rsp; pushq %rax");
    });
    CHILD({
        /* A frame that is none. */
        signal(SIGSEGV, SIG_DFL);
        __asm__ volatile("movq $0x100, %rsp; movl $15, %eax; syscall");
    });
    return 0;
}
