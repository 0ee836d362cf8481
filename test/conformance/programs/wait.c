/* wait4, waitid: statuses, options, errors. */
#include "check.h"

int main(void) {
    CALL(waitpid(-1, NULL, 0));
    CALL(waitpid(-1, NULL, WNOHANG));
    CHILD(_exit(300));
    CHILD(raise(SIGTERM));
    CHILD(abort());
    CHILD(kill(getpid(), SIGKILL));

    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(7);
    }
    int status;
    HOLDS(waitpid(pid, &status, WUNTRACED) == pid);
    show_status("first", status);
    CALL(waitpid(pid, &status, WNOHANG | WUNTRACED));
    CALL(kill(pid, SIGCONT));
    HOLDS(waitpid(pid, &status, WCONTINUED) == pid);
    show_status("second", status);
    HOLDS(waitpid(pid, &status, 0) == pid);
    show_status("third", status);
    CALL(waitpid(pid, &status, 0));

    siginfo_t info;
    pid = fork();
    if (pid == 0)
        _exit(9);
    memset(&info, 0xff, sizeof info);
    CALL(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    HOLDS(info.si_pid == pid);
    printf("%d %d %d\n", info.si_signo, info.si_code == CLD_EXITED, info.si_status);
    CALL(waitid(P_PID, pid, &info, WEXITED));
    memset(&info, 0, sizeof info);
    CALL(waitid(P_PID, pid, &info, WEXITED));
    CALL(waitid(P_ALL, 0, &info, 0));
    CALL(waitid(99, 0, &info, WEXITED));
    CALL(waitpid(-1, NULL, 0x40));

    pid = fork();
    if (pid == 0) {
        pause();
        _exit(1);
    }
    memset(&info, 0xff, sizeof info);
    CALL(waitid(P_PID, pid, &info, WEXITED | WNOHANG));
    printf("si_pid %d si_signo %d\n", info.si_pid, info.si_signo);
    kill(pid, SIGUSR1);
    CALL(waitid(P_PID, pid, &info, WEXITED));
    printf("%d %d\n", info.si_code == CLD_KILLED, info.si_status == SIGUSR1);

    pid_t group = fork();
    if (group == 0) {
        setpgid(0, 0);
        _exit(3);
    }
    setpgid(group, group);
    HOLDS(waitpid(-group, &status, 0) == group);
    show_status("group", status);
    CALL(waitpid(-group, &status, 0));
    CALL(wait4(-1, UNMAPPED, WNOHANG, NULL));
    pid = fork();
    if (pid == 0)
        _exit(0);
    CALL(wait4(pid, UNMAPPED, 0, NULL));

    signal(SIGCHLD, SIG_IGN);
    pid = fork();
    if (pid == 0)
        _exit(5);
    CALL(waitpid(pid, &status, 0));
    return 0;
}
