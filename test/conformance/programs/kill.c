/* kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo: targets, permissions, errors, what siginfo tells. */
#include "check.h"

static siginfo_t last;
static volatile sig_atomic_t count;
static void note(int signal, siginfo_t *info, void *context) {
    last = *info;
    count++;
}

static void take_ids(uid_t real, uid_t effective, uid_t saved) {
    setgroups(0, NULL);
    setresgid(100, 100, 100);
    setresuid(real, effective, saved);
}

/* A child that waits for a signal, with the ids given; it has them when this returns. */
static pid_t sleeper(uid_t real, uid_t effective, uid_t saved) {
    int ends[2];
    pipe(ends);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        take_ids(real, effective, saved);
        write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    char byte;
    read(ends[0], &byte, 1);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(void) {
    pid_t self = getpid();
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    CALL(kill(self, 0));
    CALL(kill(self, -1));
    CALL(kill(self, 65));
    CALL(kill(0x3fffffff, 0));
    CALL(kill(0x3fffffff, SIGTERM));
    CALL(kill(-0x3fffffff, SIGTERM));
    CALL(kill((pid_t)0x80000000, SIGTERM));
    CALL(kill(1, 0));
    CALL(syscall(SYS_tkill, self, 0));
    CALL(syscall(SYS_tkill, 0, SIGUSR1));
    CALL(syscall(SYS_tkill, -1, SIGUSR1));
    CALL(syscall(SYS_tkill, 0x3fffffff, SIGUSR1));
    CALL(syscall(SYS_tkill, self, 65));
    CALL(syscall(SYS_tgkill, self, self, 0));
    CALL(syscall(SYS_tgkill, self, 0, 0));
    CALL(syscall(SYS_tgkill, 0, self, 0));
    CALL(syscall(SYS_tgkill, 1, self, SIGUSR1));
    CALL(syscall(SYS_tgkill, self, self, -1));

    CALL(kill(self, SIGUSR1));
    printf("kill: %d %d %d %d\n", count, last.si_signo, last.si_code, last.si_pid == self && last.si_uid == 0);
    CALL(syscall(SYS_tkill, self, SIGUSR1));
    printf("tkill: %d %d %d %d\n", count, last.si_signo, last.si_code, last.si_pid == self);
    CALL(syscall(SYS_tgkill, self, self, SIGUSR1));
    printf("tgkill: %d %d %d %d\n", count, last.si_signo, last.si_code, last.si_pid == self);

    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_pid = 12345;
    info.si_uid = 54321;
    info.si_value.sival_int = 77;
    CALL(syscall(SYS_rt_sigqueueinfo, self, SIGUSR1, &info));
    printf("queue: %d code %d pid %d uid %d value %d\n", count, last.si_code, last.si_pid, last.si_uid,
           last.si_value.sival_int);
    info.si_code = -60;
    info.si_errno = 5;
    CALL(syscall(SYS_rt_sigqueueinfo, self, SIGRTMIN, &info));
    printf("queue: signo %d code %d errno %d\n", last.si_signo == SIGRTMIN, last.si_code, last.si_errno);
    CALL(syscall(SYS_rt_tgsigqueueinfo, self, self, SIGUSR1, &info));
    printf("tgqueue: %d code %d\n", count, last.si_code);
    CALL(syscall(SYS_rt_tgsigqueueinfo, self, self, 0, &info));
    CALL(syscall(SYS_rt_tgsigqueueinfo, self, 0, 0, &info));
    CALL(syscall(SYS_rt_tgsigqueueinfo, 0, self, 0, &info));
    CALL(syscall(SYS_rt_tgsigqueueinfo, self, self, 65, &info));
    CALL(syscall(SYS_rt_tgsigqueueinfo, self, self, SIGUSR1, UNMAPPED));
    /* A code that only the kernel or kill may give: to oneself, yes. */
    info.si_code = 0;
    CALL(syscall(SYS_rt_sigqueueinfo, self, SIGUSR1, &info));
    CALL(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
    info.si_code = SI_TKILL;
    CALL(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
    info.si_code = 5;
    CALL(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
    info.si_code = SI_QUEUE;
    CALL(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
    CALL(syscall(SYS_rt_sigqueueinfo, 0x3fffffff, 0, &info));
    CALL(syscall(SYS_rt_sigqueueinfo, self, 65, &info));
    CALL(syscall(SYS_rt_sigqueueinfo, self, SIGUSR1, UNMAPPED));
    CALL(syscall(SYS_rt_sigqueueinfo, self, SIGUSR1, BAD_POINTER));

    /* A zombie takes signals without effect; one that is reaped is gone. */
    pid_t pid = fork();
    if (pid == 0)
        _exit(6);
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    CALL(kill(pid, SIGKILL));
    int status;
    waitpid(pid, &status, 0);
    show_status("zombie", status);
    CALL(kill(pid, 0));

    /* Permissions: sender's real or effective id against the receiver's real or saved one. */
    pid_t root = sleeper(0, 0, 0), same = sleeper(1000, 1000, 1000), other = sleeper(1001, 1001, 1001);
    pid_t effective = sleeper(1001, 1000, 1001), saved = sleeper(1001, 1001, 1000), real = sleeper(1000, 1001, 1001);
    CHILD({
        take_ids(1000, 1000, 1000);
        CALL(kill(root, 0));
        CALL(kill(same, 0));
        CALL(kill(other, 0));
        CALL(kill(effective, 0));
        CALL(kill(saved, 0));
        CALL(kill(real, 0));
        CALL(syscall(SYS_tkill, other, SIGTERM));
        CALL(syscall(SYS_tgkill, other, other, SIGTERM));
        CALL(kill(other, 99));
        CALL(kill(other, SIGCONT));
        siginfo_t mine = {.si_code = SI_QUEUE};
        CALL(syscall(SYS_rt_sigqueueinfo, other, 0, &mine));
        CALL(syscall(SYS_rt_sigqueueinfo, same, 0, &mine));
    });
    CHILD({
        take_ids(1001, 1000, 1000);
        CALL(kill(same, 0));
        CALL(kill(other, 0));
    });
    CHILD({
        /* SIGCONT reaches the session, whoever it is; no other session. */
        setsid();
        take_ids(1000, 1000, 1000);
        CALL(kill(other, SIGCONT));
        CALL(kill(same, SIGCONT));
    });
    end(root), end(same), end(other), end(effective), end(saved), end(real);

    /* A group: every member; EPERM only if none may be signalled. */
    pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        for (;;)
            pause();
    }
    setpgid(first, first);
    pid_t second = fork();
    if (second == 0) {
        setpgid(0, first);
        for (;;)
            pause();
    }
    setpgid(second, first);
    CALL(kill(-first, 0));
    CHILD({
        take_ids(1000, 1000, 1000);
        CALL(kill(-first, SIGTERM));
    });
    CALL(kill(-first, SIGTERM));
    waitpid(first, &status, 0);
    show_status("first", status);
    waitpid(second, &status, 0);
    show_status("second", status);
    CALL(kill(-first, 0));

    /* 0 is the own group. */
    CHILD({
        setpgid(0, 0);
        pid_t inner = fork();
        if (inner == 0)
            for (;;)
                pause();
        sigset_t term;
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, NULL);
        CALL(kill(0, SIGTERM));
        waitpid(inner, &status, 0);
        show_status("inner", status);
        sigset_t pending;
        sigpending(&pending);
        HOLDS(sigismember(&pending, SIGTERM) == 1);
    });
    return 0;
}
