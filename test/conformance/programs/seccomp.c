/* seccomp: strict mode, filters with every action, inheritance, precedence, validation of programs, privileges. */
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define EQ(k, t, f) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, t, f)
#define ANSWER(k) BPF_STMT(BPF_RET | BPF_K, k)

static long install_flags(struct sock_filter *filter, int count, int flags) {
    struct sock_fprog program = {.len = count, .filter = filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define INSTALL(...)                                                                               \
    install_flags((struct sock_filter[]){__VA_ARGS__},                                             \
                  sizeof((struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter), 0)

static void on_sys(int signal, siginfo_t *info, void *context) {
    (void)context;
    printf("SIGSYS %d code %d errno %d call %d arch %x\n", signal, info->si_code, info->si_errno,
           info->si_syscall, info->si_arch);
}

int main(void) {
    CALL(prctl(PR_GET_SECCOMP));
    CHILD({ CALL(INSTALL(NR, EQ(1000, 0, 1), ANSWER(SECCOMP_RET_ALLOW))); });
    CHILD({
        setuid(1000);
        CALL(INSTALL(ANSWER(SECCOMP_RET_ALLOW)));
        CALL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        CALL(INSTALL(ANSWER(SECCOMP_RET_ALLOW)));
        CALL(prctl(PR_GET_SECCOMP));
        CALL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    });
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* Programs that may not be run. */
    CALL(INSTALL(BPF_STMT(BPF_LD | BPF_W | BPF_IMM, 1)));
    CALL(INSTALL(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_LD | BPF_MEM, 0), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_ST, 16), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(BPF_JMP | BPF_JA, 1), ANSWER(0)));
    CALL(INSTALL(EQ(0, 1, 0), ANSWER(0)));
    CALL(INSTALL(BPF_STMT(0xffff, 0), ANSWER(0)));
    CALL(install_flags(NULL, 0, 0));
    CALL(install_flags(NULL, 5000, 0));
    CALL(install_flags(NULL, 1, 0));
    CALL(install_flags(NULL, 1, 0x4000));
    CALL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD_POINTER));
    CALL(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
    CALL(syscall(SYS_seccomp, 99, 0, NULL));
    CALL(prctl(PR_SET_SECCOMP, 7, 0, 0, 0));
    unsigned action = SECCOMP_RET_TRAP;
    CALL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
    action = 0x12340000;
    CALL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));

    fflush(stdout);
    CHILD({
        CALL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
        fflush(stdout);
        syscall(SYS_getpid);
    });
    CHILD({
        syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
        write(1, "strict may write\n", 17);
        syscall(SYS_exit, 3);
    });
    CHILD({
        CALL(INSTALL(NR, EQ(SYS_getppid, 0, 1), ANSWER(SECCOMP_RET_ERRNO | 77), ANSWER(SECCOMP_RET_ALLOW)));
        CALL(syscall(SYS_getppid));
        CALL(INSTALL(NR, EQ(SYS_getppid, 0, 1), ANSWER(SECCOMP_RET_ERRNO | 5), ANSWER(SECCOMP_RET_ALLOW)));
        CALL(syscall(SYS_getppid));
        CALL(INSTALL(NR, EQ(SYS_getppid, 0, 1), ANSWER(SECCOMP_RET_ERRNO), ANSWER(SECCOMP_RET_ALLOW)));
        CALL(syscall(SYS_getppid));
        CALL(INSTALL(NR, EQ(SYS_getpgrp, 0, 1), ANSWER(SECCOMP_RET_ERRNO | 0xffff), ANSWER(SECCOMP_RET_ALLOW)));
        CALL(syscall(SYS_getpgrp) == -4095 || errno == 4095);
        CHILD({ CALL(syscall(SYS_getppid)); });
        CALL(INSTALL(NR, EQ(SYS_getppid, 0, 1), ANSWER(SECCOMP_RET_TRACE), ANSWER(SECCOMP_RET_ALLOW)));
        CALL(syscall(SYS_getppid));
    });
    CHILD({
        INSTALL(NR, EQ(SYS_dup, 0, 5), ARG(0), BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 2), BPF_STMT(BPF_MISC | BPF_TAX, 0),
                BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0), BPF_STMT(BPF_RET | BPF_A, 0), ANSWER(SECCOMP_RET_ALLOW));
        CALL(syscall(SYS_getuid));
        syscall(SYS_dup, 3); /* 25: KILL_THREAD with data */
        printf("not reached\n");
    });
    CHILD({
        struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
        sigaction(SIGSYS, &sa, NULL);
        INSTALL(NR, EQ(SYS_getpgid, 0, 1), ANSWER(SECCOMP_RET_TRAP | 42), ANSWER(SECCOMP_RET_ALLOW));
        long result = syscall(SYS_getpgid, 0);
        printf("after the handler %ld %d\n", result, errno);
    });
    CHILD({
        INSTALL(NR, EQ(SYS_getpgid, 0, 1), ANSWER(SECCOMP_RET_TRAP), ANSWER(SECCOMP_RET_ALLOW));
        syscall(SYS_getpgid, 0);
    });
    CHILD({
        INSTALL(NR, EQ(SYS_getpgid, 0, 1), ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW));
        syscall(SYS_getpgid, 0);
    });
    CHILD({
        INSTALL(NR, BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x40000000, 0, 1), ANSWER(SECCOMP_RET_KILL_PROCESS),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)), EQ(AUDIT_ARCH_X86_64, 1, 0),
                ANSWER(SECCOMP_RET_KILL_PROCESS), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LDX | BPF_MEM, 3),
                BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
                ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW));
        printf("scratch memory is kept\n");
    });
    return 0;
}
