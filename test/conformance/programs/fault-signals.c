/* What handlers of faults are told and may do: address, code, error code; repair by mmap and mprotect; masks; nesting. */
#include "fault.h"
#include <ucontext.h>

#define RW (PROT_READ | PROT_WRITE)

static volatile int faults;
static char *window;
static int file;

/* A pager: brings in pages of a window when they are touched. */
static void pager(int signal, siginfo_t *info, void *context) {
    char *page = (char *)((unsigned long)info->si_addr & -PAGE);
    if (page < window || page >= window + 16 * PAGE)
        _exit(50);
    faults++;
    mmap(page, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    memset(page, (page - window) / PAGE + 1, PAGE);
}

/* A file that is too short grows. */
static void grower(int signal, siginfo_t *info, void *context) {
    faults++;
    printf("SIG%s code %d\n", sigabbrev_np(signal), info->si_code);
    ftruncate(file, 2 * PAGE);
}

static greg_t error_code;
static void tell(int signal, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    error_code = c->uc_mcontext.gregs[REG_ERR];
    HOLDS((char *)c->uc_mcontext.gregs[REG_CR2] == info->si_addr);
    siglongjmp(fault_jump, 1);
}

static volatile int depth;
static void nested(int signal, siginfo_t *info, void *context) {
    if (++depth < 3)
        WRITE(8 * depth, 1);
    siglongjmp(fault_jump, depth);
}

static void skip_division(int signal, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    HOLDS(info->si_code == FPE_INTDIV && info->si_addr == (void *)c->uc_mcontext.gregs[REG_RIP]);
    c->uc_mcontext.gregs[REG_RCX] = 7;
}

static void after_trap(int signal, siginfo_t *info, void *context) {
    faults++;
    printf("trap code %d\n", info->si_code);
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

int main(void) {
    scratch("fault-signals");
    window = anonymous(16, PROT_NONE, MAP_PRIVATE);
    munmap(window, 8 * PAGE);
    install(SIGSEGV, pager, 0);
    int sum = 0;
    for (int i = 0; i < 16; i++)
        sum += window[i * PAGE + i];
    printf("sum %d faults %d\n", sum, faults);
    munmap(window, 16 * PAGE);
    faults = 0;
    memmove(window + 100, window + PAGE + 50, 3 * PAGE);
    printf("moved %d %d %d faults %d\n", window[100], window[100 + PAGE], window[100 + 3 * PAGE - 1], faults);
    munmap(window, 16 * PAGE);
    faults = 0;
    *(volatile long *)(window + PAGE - 3) += 1;
    printf("across %d faults %d\n", window[PAGE], faults);
    munmap(window, 16 * PAGE);
    faults = 0;
    __asm__ volatile("lock incl (%0)" : : "r"(window + 64) : "memory");
    printf("locked %x faults %d\n", *(int *)(window + 64), faults);
    munmap(window, PAGE);
    unsigned long stack_top;
    __asm__ volatile("movq %%rsp, %0" : "=r"(stack_top));
    /* System calls do not wake the pager: EFAULT. */
    int ends[2];
    pipe(ends);
    CALL(write(ends[1], window + 2 * PAGE, 10));
    printf("faults %d\n", faults);

    file = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(file, 100);
    char *mapped = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, 0);
    install(SIGBUS, grower, 0);
    faults = 0;
    WRITE(mapped + PAGE, 5);
    printf("grown %d faults %d\n", mapped[PAGE], faults);

    install(SIGSEGV, tell, 0);
    char *readonly = anonymous(1, PROT_READ, MAP_PRIVATE);
    READ(readonly);
    if (!sigsetjmp(fault_jump, 1))
        READ(0x1000);
    printf("read, not present: %lld\n", error_code);
    if (!sigsetjmp(fault_jump, 1))
        WRITE(0x1000, 1);
    printf("write, not present: %lld\n", error_code);
    if (!sigsetjmp(fault_jump, 1))
        WRITE(readonly, 1);
    printf("write, present: %lld\n", error_code);
    if (!sigsetjmp(fault_jump, 1))
        ((void (*)(void))0x1000)();
    printf("execute, not present: %lld\n", error_code);
    if (!sigsetjmp(fault_jump, 1))
        ((void (*)(void))readonly)();
    printf("execute, present: %lld\n", error_code);

    install(SIGSEGV, nested, SA_NODEFER);
    printf("nested %d\n", sigsetjmp(fault_jump, 1) ?: ({ WRITE(8, 1); 0; }));
    /* A fault whose signal is blocked or ignored kills all the same. */
    CHILD({
        install(SIGSEGV, nested, 0);
        depth = 0;
        WRITE(8, 1);
    });
    CHILD({
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGSEGV);
        sigprocmask(SIG_BLOCK, &set, NULL);
        WRITE(8, 1);
    });
    CHILD(signal(SIGSEGV, SIG_IGN); WRITE(8, 1));
    CHILD({
        signal(SIGFPE, SIG_IGN);
        __asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx" ::: "eax", "ecx", "edx");
    });
    CHILD(signal(SIGTRAP, SIG_IGN); __asm__ volatile("int3"));
    CHILD(signal(SIGILL, SIG_IGN); __asm__ volatile("ud2"));
    /* But sent by others they may be ignored. */
    CHILD(signal(SIGSEGV, SIG_IGN); raise(SIGSEGV); printf("ignored\n"));

    install(SIGFPE, skip_division, 0);
    int quotient = 0;
    __asm__ volatile("xorl %%ecx, %%ecx; movl $42, %%eax; cltd; idivl %%ecx" : "=a"(quotient) : : "ecx", "edx");
    printf("quotient %d\n", quotient);
    __asm__ volatile("movl $7, %%ecx; movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx" : "=a"(quotient) : : "ecx", "edx");
    printf("quotient %d\n", quotient);
    faults = 0;
    install(SIGTRAP, after_trap, 0);
    __asm__ volatile("int3; int3; .byte 0xf1");
    printf("traps %d\n", faults);
    return 0;
}
