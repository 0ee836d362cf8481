/* setpgid, getpgid, getpgrp, setsid, getsid; orphaned groups; stop and continue; SIGCHLD for them. */
#include "check.h"

static volatile sig_atomic_t count;
static siginfo_t last;
static void note(int signal, siginfo_t *info, void *context) {
    count++;
    last = *info;
}

/* The parent is told just before or just after its wait sees the change. */
static void await_signal(void) {
    while (count == 0)
        usleep(500);
}

static int ends[2];
static void tell(void) { write(ends[1], "x", 1); }
static void await(void) {
    char byte;
    read(ends[0], &byte, 1);
}

int main(void) {
    pipe(ends);
    pid_t self = getpid();
    HOLDS(getpgid(0) == getpgrp());
    HOLDS(getpgid(self) == getpgrp());
    HOLDS(getsid(0) == getsid(self));
    HOLDS(getpgid(1) >= 0 && getsid(1) >= 0);
    CALL(getpgid(0x3fffffff));
    CALL(getpgid(-1));
    CALL(getsid(0x3fffffff));
    CALL(getsid(-1));
    CALL(setpgid(0, -1));
    CALL(setpgid(-1, 0));
    CALL(setpgid(0x3fffffff, 0));
    CALL(setpgid(1, 0));
    CALL(setpgid(getppid(), 0));
    CALL(setpgid(0, 0x3fffffff));

    CHILD({
        HOLDS(getpgrp() != getpid());
        CALL(setpgid(0, 0));
        HOLDS(getpgrp() == getpid());
        CALL(setpgid(0, 0));
        CALL(setsid());
        CALL(setpgid(0, getpgid(getppid())));
        HOLDS(getpgrp() == getpgid(getppid()));
        pid_t session = setsid();
        HOLDS(session == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
        CALL(setsid());
        CALL(setpgid(0, 0));
        CALL(setpgid(0, getpgid(getppid())));
        HOLDS(getsid(getppid()) != getsid(0));
        CHILD({
            HOLDS(getsid(0) == getppid() && getpgrp() == getppid());
            CALL(setpgid(0, 0));
            HOLDS(setpgid(0, getppid()) == 0 && getpgrp() == getppid());
        });
    });
    /* The parent moves the child until it has executed something. */
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    HOLDS(setpgid(pid, pid) == 0 && getpgid(pid) == pid);
    pid_t second = fork();
    if (second == 0) {
        pause();
        _exit(0);
    }
    HOLDS(setpgid(second, pid) == 0 && getpgid(second) == pid);
    HOLDS(setpgid(pid, getpgrp()) == 0);
    HOLDS(setpgid(second, 0x3fffffff) == -1 && errno == EPERM);
    kill(pid, SIGKILL);
    kill(second, SIGKILL);
    waitpid(pid, NULL, 0);
    waitpid(second, NULL, 0);
    CALL(setpgid(pid, pid));
    pid = fork();
    if (pid == 0) {
        setsid();
        tell();
        pause();
        _exit(0);
    }
    await();
    CALL(setpgid(pid, 0));
    HOLDS(getsid(pid) == pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    int to_child[2];
    pipe(to_child);
    pid = fork();
    if (pid == 0) {
        dup2(to_child[0], 0);
        dup2(ends[1], 1);
        execl("/bin/sh", "sh", "-c", "echo; read line", NULL);
        execl("/bin/busybox", "sh", "-c", "echo; read line", NULL);
        _exit(0);
    }
    await();
    CALL(setpgid(pid, pid));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    /* Stops and continuations are told to the parent. */
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    int status;
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    setpgid(pid, pid);
    for (int i = 0; i < 4; i++) {
        count = 0;
        kill(pid, stops[i]);
        waitpid(pid, &status, WUNTRACED);
        show_status("stopped", status);
        await_signal();
        printf("SIGCHLD %d code %d status %d\n", count, last.si_code == CLD_STOPPED, last.si_status == stops[i]);
        count = 0;
        kill(pid, SIGCONT);
        waitpid(pid, &status, WCONTINUED);
        show_status("continued", status);
        await_signal();
        printf("SIGCHLD %d code %d status %d\n", count, last.si_code == CLD_CONTINUED, last.si_status == SIGCONT);
    }
    /* A stopped process takes signals when it continues, but for SIGKILL. */
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    kill(pid, SIGTERM);
    usleep(5000);
    CALL(waitpid(pid, &status, WNOHANG));
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    show_status("then", status);
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    show_status("killed", status);
    /* SA_NOCLDSTOP. */
    action.sa_flags |= SA_NOCLDSTOP;
    sigaction(SIGCHLD, &action, NULL);
    count = 0;
    pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(3);
    }
    waitpid(pid, &status, WUNTRACED);
    kill(pid, SIGCONT);
    waitpid(pid, &status, WCONTINUED);
    printf("SIGCHLD %d\n", count);
    waitpid(pid, &status, 0);
    await_signal();
    printf("SIGCHLD %d code %d status %d\n", count, last.si_code == CLD_EXITED, last.si_status);
    /* SA_NOCLDWAIT: no zombie. */
    action.sa_flags = SA_NOCLDWAIT | SA_SIGINFO;
    sigaction(SIGCHLD, &action, NULL);
    pid = fork();
    if (pid == 0)
        _exit(3);
    CALL(waitpid(pid, &status, 0));
    signal(SIGCHLD, SIG_DFL);

    /* In an orphaned group the terminal's stops do nothing; SIGSTOP does. */
    CHILD({
        setsid();
        pid = fork();
        if (pid == 0) {
            setpgid(0, 0);
            /* The parent is in the session, in another group: not orphaned. */
            raise(SIGTSTP);
            _exit(5);
        }
        waitpid(pid, &status, WUNTRACED);
        show_status("not orphaned", status);
        kill(pid, SIGCONT);
        waitpid(pid, &status, 0);
        show_status("continued", status);
        raise(SIGTSTP);
        raise(SIGTTIN);
        raise(SIGTTOU);
        printf("an orphaned group is not stopped\n");
    });
    /* A group with a stopped member that becomes orphaned: SIGHUP and SIGCONT. */
    pid = fork();
    if (pid == 0) {
        pid_t leader = fork();
        if (leader == 0) {
            setpgid(0, 0);
            count = 0;
            signal(SIGCONT, SIG_IGN);
            struct sigaction hangup = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
            sigaction(SIGHUP, &hangup, NULL);
            raise(SIGSTOP);
            printf("hangups %d from the kernel %d\n", count, last.si_code > 0);
            fflush(stdout);
            tell();
            _exit(0);
        }
        waitpid(leader, &status, WUNTRACED);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    await();
    return 0;
}
