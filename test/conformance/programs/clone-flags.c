/* Flags of clone and clone3 for processes: parent, exit signal, handlers cleared, ids told; waiting for each kind. */
#include "check.h"
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>

static volatile int caught;
static void note(int signal) { caught = signal; }

static long clone3(struct clone_args *args) {
    return syscall(SYS_clone3, args, sizeof *args);
}

static const char *action_of(int signal) {
    struct sigaction action;
    sigaction(signal, NULL, &action);
    return action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "caught";
}

int main(void) {
    int status;
    signal(SIGUSR1, note);
    signal(SIGUSR2, SIG_IGN);
    struct clone_args args = {.exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND};
    fflush(stdout);
    pid_t pid = clone3(&args);
    if (pid == 0) {
        printf("cleared: %s %s\n", action_of(SIGUSR1), action_of(SIGUSR2));
        fflush(stdout);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    show_status("cleared", status);
    printf("mine: %s %s\n", action_of(SIGUSR1), action_of(SIGUSR2));
    args.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM;
    CALL(clone3(&args));

    /* A sibling. */
    int ends[2];
    pipe(ends);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        pid_t parent = getppid();
        pid_t sibling = syscall(SYS_clone, CLONE_PARENT, 0, NULL, NULL, 0);
        if (sibling == 0)
            _exit(getppid() == parent ? 5 : 6);
        write(ends[1], &sibling, sizeof sibling);
        CALL(waitpid(sibling, NULL, 0));
        fflush(stdout);
        _exit(4);
    }
    pid_t sibling;
    read(ends[0], &sibling, sizeof sibling);
    HOLDS(waitpid(sibling, &status, 0) == sibling);
    show_status("sibling", status);
    waitpid(pid, &status, 0);
    show_status("its maker", status);

    /* Exit signals, and who waits for what. */
    for (int with = 0; with <= SIGUSR1; with += SIGUSR1) {
        caught = 0;
        args = (struct clone_args){.exit_signal = with};
        pid = clone3(&args);
        if (pid == 0)
            _exit(7);
        CALL(waitpid(-1, &status, 0));
        siginfo_t info = {0};
        CALL(waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WCLONE));
        printf("signal %d code %d status %d\n", info.si_signo, info.si_code, info.si_status);
        HOLDS(waitpid(-1, &status, __WALL) == pid);
        show_status("of another kind", status);
        printf("caught %d\n", caught);
    }
    args = (struct clone_args){.flags = CLONE_IO | CLONE_SYSVSEM | CLONE_UNTRACED, .exit_signal = SIGCHLD};
    pid = clone3(&args);
    if (pid == 0)
        _exit(8);
    CALL(waitpid(-1, &status, __WCLONE));
    waitpid(pid, &status, 0);
    show_status("child", status);
    return 0;
}
