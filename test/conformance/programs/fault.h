/* Catching faults: FAULT(label, statements) runs statements and prints which signal ended them, or that none did. */
#ifndef FAULT_H
#define FAULT_H
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf fault_jump;
static siginfo_t fault_info;
static volatile sig_atomic_t fault_expected;

static void fault_handler(int signal, siginfo_t *info, void *context) {
    if (!fault_expected) {
        printf("unexpected SIG%s\n", sigabbrev_np(signal));
        fflush(stdout);
        _exit(97);
    }
    fault_info = *info;
    siglongjmp(fault_jump, signal);
}

static void catch_faults(void) {
    struct sigaction action = {.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
}

#define FAULT(label, ...)                                                                                              \
    do {                                                                                                               \
        fault_expected = 1;                                                                                            \
        int fault_taken = sigsetjmp(fault_jump, 1);                                                                    \
        if (fault_taken == 0) {                                                                                        \
            __VA_ARGS__;                                                                                               \
            printf("%s: no fault\n", label);                                                                           \
        } else                                                                                                         \
            printf("%s: SIG%s code %d\n", label, sigabbrev_np(fault_taken), fault_info.si_code);                       \
        fault_expected = 0;                                                                                            \
        fflush(stdout);                                                                                                \
    } while (0)

#define READ(address) ((void)*(volatile char *)(address))
#define WRITE(address, value) (*(volatile char *)(address) = (value))

#define PAGE 4096l

/* mmap, whose result differs from run to run: prints ok or the errno. */
#define MAPS(...)                                                                                                      \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        void *map_result = (void *)syscall(SYS_mmap, __VA_ARGS__);                                                     \
        printf("mmap(%s): %s\n", #__VA_ARGS__, map_result == MAP_FAILED ? errno_name(errno) : "ok");                   \
        fflush(stdout);                                                                                                \
        if (map_result != MAP_FAILED)                                                                                  \
            munmap(map_result, 1);                                                                                     \
    } while (0)

static inline char *anonymous(long pages, int prot, int flags) {
    char *at = mmap(NULL, pages * PAGE, prot, MAP_ANONYMOUS | flags, -1, 0);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(98);
    }
    return at;
}
#endif
