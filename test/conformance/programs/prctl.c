/* prctl: names, death signals, subreapers, dumpable, capabilities kept; personality; errors. */
#include "check.h"
#include <linux/capability.h>
#include <sys/personality.h>
#include <sys/prctl.h>

static int ends[2];
static void tell(void) { write(ends[1], "x", 1); }
static void await(void) {
    char byte;
    read(ends[0], &byte, 1);
}

int main(void) {
    char name[32];
    pipe(ends);
    memset(name, 'z', sizeof name);
    CALL(prctl(PR_SET_NAME, "short"));
    CALL(prctl(PR_GET_NAME, name));
    printf("[%s] %d %d\n", name, name[15], name[16]);
    CALL(prctl(PR_SET_NAME, "a name that is too long"));
    CALL(prctl(PR_GET_NAME, name));
    printf("[%s]\n", name);
    CALL(prctl(PR_SET_NAME, ""));
    CALL(prctl(PR_GET_NAME, name));
    printf("[%s]\n", name);
    CALL(prctl(PR_SET_NAME, UNMAPPED));
    CALL(prctl(PR_GET_NAME, UNMAPPED));
    CALL(prctl(PR_GET_NAME, BAD_POINTER));
    CALL(prctl(PR_SET_NAME, "parent"));
    CHILD({
        prctl(PR_GET_NAME, name);
        printf("[%s]\n", name);
        prctl(PR_SET_NAME, "child");
    });
    prctl(PR_GET_NAME, name);
    printf("[%s]\n", name);

    int value = 77;
    CALL(prctl(PR_GET_PDEATHSIG, &value));
    printf("%d\n", value);
    CALL(prctl(PR_SET_PDEATHSIG, 65));
    CALL(prctl(PR_SET_PDEATHSIG, -1));
    CALL(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    CALL(prctl(PR_GET_PDEATHSIG, &value));
    printf("%d\n", value);
    CALL(prctl(PR_GET_PDEATHSIG, UNMAPPED));
    CHILD({
        prctl(PR_GET_PDEATHSIG, &value);
        printf("child's %d\n", value);
    });
    CALL(prctl(PR_SET_PDEATHSIG, 0));

    CALL(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    CALL(prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0));
    printf("%d\n", value);
    CALL(prctl(PR_GET_CHILD_SUBREAPER, UNMAPPED, 0, 0, 0));
    /* The orphan comes to us; its death signal has come to it. */
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR2);
            sigprocmask(SIG_BLOCK, &set, NULL);
            prctl(PR_SET_PDEATHSIG, SIGUSR2);
            prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0);
            printf("not inherited %d\n", value);
            tell();
            int got;
            sigwait(&set, &got);
            _exit(got);
        }
        await();
        _exit(1);
    }
    int status;
    waitpid(pid, &status, 0);
    show_status("child", status);
    HOLDS(wait(&status) != pid);
    show_status("grandchild", status);
    CALL(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
    CALL(wait(&status));

    CALL(prctl(PR_GET_DUMPABLE));
    CALL(prctl(PR_SET_DUMPABLE, 0));
    CALL(prctl(PR_GET_DUMPABLE));
    CALL(prctl(PR_SET_DUMPABLE, 2));
    CALL(prctl(PR_SET_DUMPABLE, 1));
    CHILD({
        setresuid(1000, 1000, 1000);
        CALL(prctl(PR_GET_DUMPABLE) == 1);
    });
    CALL(prctl(PR_GET_KEEPCAPS));
    CALL(prctl(PR_SET_KEEPCAPS, 1));
    CALL(prctl(PR_GET_KEEPCAPS));
    CALL(prctl(PR_SET_KEEPCAPS, 2));
    CHILD({
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct sets[2];
        setresuid(1000, 1000, 1000);
        CALL(syscall(SYS_capget, &header, sets));
        printf("permitted %d effective %d\n", sets[0].permitted != 0, sets[0].effective != 0);
        sets[0].effective = sets[0].permitted = 1 << CAP_SETUID;
        sets[1].effective = sets[1].permitted = 0;
        CALL(syscall(SYS_capset, &header, sets));
        CALL(setresuid(1001, 1000, 0));
        CALL(setresgid(5, 5, 5));
        sets[0].effective = sets[0].permitted = 1 << CAP_SETUID | 1 << CAP_SETGID;
        CALL(syscall(SYS_capset, &header, sets));
        sets[0].permitted = 0;
        CALL(syscall(SYS_capset, &header, sets));
        sets[0].effective = 0;
        CALL(syscall(SYS_capset, &header, sets));
        header.version = 12345;
        CALL(syscall(SYS_capget, &header, sets));
        printf("%d\n", header.version == _LINUX_CAPABILITY_VERSION_3);
        header.version = 0;
        CALL(syscall(SYS_capget, &header, NULL));
        header.pid = 0x3fffffff;
        CALL(syscall(SYS_capget, &header, sets));
        header.pid = -1;
        CALL(syscall(SYS_capget, &header, sets));
        header.pid = 1;
        CALL(syscall(SYS_capset, &header, sets));
        CALL(syscall(SYS_capget, UNMAPPED, sets));
        header.pid = 0;
        CALL(syscall(SYS_capget, &header, UNMAPPED));
    });
    CALL(prctl(PR_CAPBSET_READ, CAP_KILL));
    CALL(prctl(PR_CAPBSET_READ, 100));
    CHILD({
        CALL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
        CALL(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
        CALL(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
        CALL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        CALL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
        CHILD(CALL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)));
    });
    CALL(prctl(PR_GET_TIMERSLACK));
    CALL(prctl(PR_SET_TIMERSLACK, 1000));
    CALL(prctl(PR_GET_TIMERSLACK));
    CHILD(CALL(prctl(PR_GET_TIMERSLACK)));
    CALL(prctl(PR_SET_TIMERSLACK, 0));
    CALL(prctl(PR_GET_TIMERSLACK) == 50000);
    CALL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    CALL(prctl(PR_GET_TIMING));
    CALL(prctl(123456));
    CALL(prctl(-1));
    CALL(personality(0xffffffff));
    CALL(personality(0));
    return 0;
}
