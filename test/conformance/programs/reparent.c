/* The end of processes: exit codes, orphans to init, children of children, zombies, many at once. */
#include "check.h"
#include <sys/prctl.h>

static int ends[2];

int main(void) {
    pipe(ends);
    static const int codes[] = {0, 1, 127, 255, 256, 257, -1, 0x1234};
    for (int i = 0; i < 8; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (i & 1)
                syscall(SYS_exit, codes[i]);
            syscall(SYS_exit_group, codes[i]);
        }
        int status;
        waitpid(pid, &status, 0);
        printf("%d: %#x\n", codes[i], status);
    }
    /* An orphan gets another parent, who is not us. */
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            while (getppid() == parent)
                usleep(1000);
            char new = getppid() != self && getppid() != parent && getppid() > 0;
            write(ends[1], &new, 1);
            _exit(0);
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    char byte = 9;
    CALL(read(ends[0], &byte, 1));
    printf("orphan has a new parent %d\n", byte);
    CALL(wait(NULL));

    /* Zombies in the order of their end; a wait for any takes one each. */
    pid_t pids[10];
    for (int i = 0; i < 10; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(i);
    }
    siginfo_t info;
    for (int i = 0; i < 10; i++)
        waitid(P_PID, pids[i], &info, WEXITED | WNOWAIT);
    int sum = 0, status, reaped = 0;
    while (wait(&status) > 0) {
        sum += WEXITSTATUS(status);
        reaped++;
    }
    printf("reaped %d sum %d %s\n", reaped, sum, errno_name(errno));
    /* One that is waited for by name leaves the others. */
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(i);
    }
    for (int i = 2; i >= 0; i--) {
        HOLDS(waitpid(pids[i], &status, 0) == pids[i]);
        printf("%d\n", WEXITSTATUS(status));
    }
    /* Own group, other groups. */
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        _exit(1);
    }
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    CALL(waitpid(0, &status, WNOHANG));
    HOLDS(waitpid(-pid, &status, 0) == pid);
    CALL(waitpid(0x80000000, &status, 0));

    /* waitid: everything it can tell and be asked. */
    pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    CALL(waitid(P_PID, pid, &info, WSTOPPED));
    printf("%d %d %d uid %d\n", info.si_signo, info.si_code == CLD_STOPPED, info.si_status == SIGSTOP, info.si_uid);
    CALL(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG));
    printf("pid %d\n", info.si_pid);
    kill(pid, SIGCONT);
    CALL(waitid(P_PID, pid, &info, WCONTINUED | WNOWAIT));
    CALL(waitid(P_PID, pid, &info, WCONTINUED));
    printf("%d %d\n", info.si_code == CLD_CONTINUED, info.si_status == SIGCONT);
    CALL(waitid(P_PID, pid, &info, WCONTINUED | WNOHANG));
    CALL(waitid(P_PGID, getpgrp(), &info, WEXITED | WNOHANG));
    CALL(waitid(P_PGID, 0, &info, WEXITED | WNOHANG));
    CALL(waitid(P_ALL, 12345, &info, WEXITED | WNOHANG));
    CALL(waitid(P_PID, 0, &info, WEXITED | WNOHANG));
    CALL(waitid(P_PID, -1, &info, WEXITED | WNOHANG));
    CALL(waitid(P_PGID, -1, &info, WEXITED | WNOHANG));
    CALL(waitid(P_PID, self, &info, WEXITED | WNOHANG));
    CALL(waitid(P_PID, pid, &info, WNOHANG));
    CALL(waitid(P_PID, pid, &info, WEXITED | 0x100));
    kill(pid, SIGABRT);
    CALL(waitid(P_PID, pid, NULL, WEXITED | WNOWAIT));
    CALL(syscall(SYS_waitid, P_PID, pid, UNMAPPED, WEXITED | WNOWAIT, NULL));
    CALL(waitid(P_PID, pid, &info, WEXITED));
    printf("%d %d\n", info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED, info.si_status == SIGABRT);
    CALL(waitid(P_PID, pid, &info, WEXITED));

    /* A tree that ends from the top; who is left of it comes to us. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        for (int i = 0; i < 5; i++)
            fork();
        write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    char bytes[32];
    for (int got = 0; got < 32;)
        got += read(ends[0], bytes, 32 - got);
    CALL(kill(-pid, SIGKILL));
    waitpid(pid, &status, 0);
    show_status("tree", status);
    for (reaped = 0; wait(&status) > 0;)
        reaped += WIFSIGNALED(status);
    printf("reaped %d, nobody left: %s\n", reaped, errno_name(errno));
    CALL(kill(-pid, 0));
    /* 100 one after the other; the numbers are not given twice at once. */
    int good = 0;
    for (int i = 0; i < 100; i++) {
        pid = fork();
        if (pid == 0)
            _exit(i);
        good += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == i;
    }
    printf("good %d\n", good);
    return 0;
}
