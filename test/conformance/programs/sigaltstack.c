/* sigaltstack: rules, nesting, SS_AUTODISARM, siglongjmp off it, inheritance; the state of the processor kept by frames. */
#include "fault.h"
#include <ucontext.h>

#define AUTODISARM (1u << 31)

static char stack_a[32768], stack_b[32768];
static int on(char *stack) {
    char here;
    return &here >= stack && &here < stack + 32768;
}

static int flags_now(void) {
    stack_t s;
    sigaltstack(NULL, &s);
    return s.ss_flags == SS_DISABLE ? 2 : s.ss_flags == SS_ONSTACK ? 1 : s.ss_flags == 0 ? 0 : 9;
}

static void inner(int signal) { printf("inner on a %d flags %d\n", on(stack_a), flags_now()); }

static void outer(int signal) {
    printf("outer on a %d flags %d\n", on(stack_a), flags_now());
    stack_t s = {.ss_sp = stack_b, .ss_size = sizeof stack_b};
    CALL(sigaltstack(&s, NULL));
    s.ss_flags = SS_DISABLE;
    CALL(sigaltstack(&s, NULL));
    raise(SIGUSR2);
}

static void disarmed(int signal) {
    printf("disarmed on a %d flags %d\n", on(stack_a), flags_now());
    stack_t s = {.ss_sp = stack_b, .ss_size = sizeof stack_b};
    CALL(sigaltstack(&s, NULL));
}

static sigjmp_buf jump;
static void jumper(int signal) { siglongjmp(jump, 1); }

static volatile double result;
static void disturb(int signal) {
    double x = signal;
    for (int i = 0; i < 10; i++)
        x = (x + i) * 1.37 / 3;
    result = x;
    unsigned mxcsr = 0x1f80 | 3 << 13;
    unsigned short control = 0x37f | 3 << 10;
    __asm__ volatile("ldmxcsr %0; fldcw %1; std; fld1; fld1; fld1" : : "m"(mxcsr), "m"(control));
    __asm__ volatile("pxor %%xmm0,%%xmm0; pxor %%xmm5,%%xmm5; pxor %%xmm12,%%xmm12" ::: "xmm0", "xmm5", "xmm12");
    __asm__ volatile("cld");
}

int main(void) {
    stack_t s = {.ss_sp = stack_a, .ss_size = sizeof stack_a}, old;
    CALL(syscall(SYS_sigaltstack, NULL, NULL));
    CALL(syscall(SYS_sigaltstack, UNMAPPED, NULL));
    CALL(syscall(SYS_sigaltstack, NULL, UNMAPPED));
    s.ss_size = 2047;
    CALL(sigaltstack(&s, NULL));
    s.ss_size = sizeof stack_a;
    s.ss_flags = SS_ONSTACK;
    CALL(sigaltstack(&s, NULL));
    s.ss_flags = 4;
    CALL(sigaltstack(&s, NULL));
    s.ss_flags = SS_DISABLE;
    CALL(sigaltstack(&s, NULL));
    printf("flags %d\n", flags_now());
    s.ss_flags = 0;
    CALL(sigaltstack(&s, &old));
    printf("old %d\n", old.ss_flags);
    CALL(sigaltstack(NULL, &old));
    HOLDS(old.ss_sp == stack_a && old.ss_size == sizeof stack_a && old.ss_flags == 0);
    struct sigaction action = {.sa_handler = outer, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = inner;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR1);
    printf("after: flags %d\n", flags_now());
    /* Without SA_ONSTACK: on the stack it interrupts. */
    action.sa_flags = 0;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    raise(SIGUSR1);
    /* Left by siglongjmp it can be used again. */
    action.sa_handler = jumper;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR1, &action, NULL);
    volatile int jumps = 0;
    for (int i = 0; i < 50; i++)
        if (sigsetjmp(jump, 1) == 0)
            raise(SIGUSR1);
        else
            jumps++;
    printf("jumps %d flags %d\n", jumps, flags_now());
    CHILD(printf("child: flags %d\n", flags_now()));

    s.ss_flags = AUTODISARM;
    CALL(sigaltstack(&s, NULL));
    sigaltstack(NULL, &old);
    HOLDS(old.ss_flags == (int)AUTODISARM);
    action.sa_handler = disarmed;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigaltstack(NULL, &old);
    HOLDS(old.ss_sp == stack_a && old.ss_flags == (int)AUTODISARM);
    /* Too small for a frame: the end. */
    CHILD({
        char *small = anonymous(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        mprotect(small, PAGE, PROT_NONE);
        stack_t none = {.ss_sp = small, .ss_size = PAGE};
        sigaltstack(&none, NULL);
        signal(SIGSEGV, SIG_DFL);
        raise(SIGUSR1);
    });

    /* The processor's state over a handler. */
    signal(SIGUSR1, disturb);
    double a = 1.5, b = -2.25;
    long double wide = 1.0L / 3;
    unsigned mxcsr = 0x1f80 | 1 << 13, mxcsr_after;
    unsigned short control = 0x37f | 1 << 10, control_after, status_after;
    unsigned long x0 = 0, x5 = 0, x12 = 0, flags = 0;
    pid_t self = getpid();
    long kill_number = SYS_kill, r8 = 0, r15 = 0;
    __asm__ volatile("ldmxcsr %[m]; fninit; fldcw %[c]; fldpi; fldl2e\n\t"
                     "movq $0x1111, %%rax; movq %%rax, %%xmm0; movq $0x5555, %%rax; movq %%rax, %%xmm5\n\t"
                     "movq $0xcccc, %%rax; movq %%rax, %%xmm12; movq $0x8888, %%r8; movq $0xffff, %%r15\n\t"
                     "movl %[pid], %%edi; movl $10, %%esi; movl $62, %%eax; stc; syscall\n\t"
                     "movq %%xmm0, %[x0]; movq %%xmm5, %[x5]; movq %%xmm12, %[x12]; movq %%r8, %[r8]; movq %%r15, %[r15]\n\t"
                     "stmxcsr %[ma]; fnstcw %[ca]; fnstsw %[sa]; fstpl %[a]; fstpl %[b]"
                     : [x0] "=m"(x0), [x5] "=m"(x5), [x12] "=m"(x12), [r8] "=m"(r8), [r15] "=m"(r15), [ma] "=m"(mxcsr_after),
                       [ca] "=m"(control_after), [sa] "=m"(status_after), [a] "=m"(a), [b] "=m"(b)
                     : [m] "m"(mxcsr), [c] "m"(control), [pid] "m"(self)
                     : "rax", "rcx", "r8", "r11", "r15", "rdi", "rsi", "xmm0", "xmm5", "xmm12", "memory", "cc", "st", "st(1)");
    mxcsr = 0x1f80;
    control = 0x37f;
    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(control));
    printf("%lx %lx %lx %lx %lx\n", x0, x5, x12, r8, r15);
    printf("%x %x top %d %.17g %.17g\n", mxcsr_after & ~0x3f, control_after, status_after >> 11 & 7, a, b);
    return 0;
}
