/* getpriority, setpriority, nice: processes, groups, users; rights; errors. */
#include "check.h"
#include <sys/resource.h>

#define RAW(which, who) syscall(SYS_getpriority, which, who)

int main(void) {
    CALL(RAW(PRIO_PROCESS, 0));
    CALL(RAW(PRIO_PROCESS, getpid()));
    CALL(RAW(PRIO_PGRP, 0));
    CALL(RAW(3, 0));
    CALL(RAW(-1, 0));
    CALL(RAW(PRIO_PROCESS, 0x3fffffff));
    CALL(RAW(PRIO_PGRP, 0x3fffffff));
    CALL(RAW(PRIO_USER, 44444));
    CALL(RAW(PRIO_PROCESS, -1));
    CALL(setpriority(3, 0, 0));
    CALL(setpriority(PRIO_PROCESS, 0x3fffffff, 0));
    CALL(setpriority(PRIO_PGRP, 0x3fffffff, 0));
    CALL(setpriority(PRIO_USER, 44444, 0));
    CALL(setpriority(PRIO_PROCESS, 0, 5));
    CALL(RAW(PRIO_PROCESS, 0));
    CALL(setpriority(PRIO_PROCESS, 0, 100));
    CALL(RAW(PRIO_PROCESS, 0));
    CALL(setpriority(PRIO_PROCESS, 0, -100));
    CALL(RAW(PRIO_PROCESS, 0));
    CALL(setpriority(PRIO_PROCESS, 0, 3));
    CALL(nice(4));
    CALL(RAW(PRIO_PROCESS, 0));
    CHILD({
        printf("inherited %ld\n", RAW(PRIO_PROCESS, 0));
        become(1000, 1000);
        CALL(setpriority(PRIO_PROCESS, 0, 7));
        CALL(setpriority(PRIO_PROCESS, 0, 6));
        CALL(setpriority(PRIO_PROCESS, 0, 10));
        CALL(setpriority(PRIO_PROCESS, 0, 7));
        CALL(setpriority(PRIO_PROCESS, getppid(), 19));
        CALL(setpriority(PRIO_PROCESS, 1, 19));
        CALL(nice(5));
        CALL(nice(-1));
        CALL(RAW(PRIO_PROCESS, 0));
        CALL(RAW(PRIO_USER, 0));
        CALL(setpriority(PRIO_USER, 0, 19));
        CALL(RAW(PRIO_USER, 1000));
        CALL(RAW(PRIO_PROCESS, getppid()));
    });
    /* A group: the most favourable of it; all of it. */
    int ends[2];
    pipe(ends);
    pid_t first = fork();
    if (first == 0) {
        char byte;
        read(ends[0], &byte, 1);
        _exit(0);
    }
    setpgid(first, first);
    pid_t second = fork();
    if (second == 0) {
        char byte;
        read(ends[0], &byte, 1);
        _exit(0);
    }
    setpgid(second, first);
    CALL(setpriority(PRIO_PGRP, first, 12));
    printf("%ld %ld\n", RAW(PRIO_PROCESS, first), RAW(PRIO_PROCESS, second));
    CALL(setpriority(PRIO_PROCESS, second, 15));
    printf("group %ld\n", RAW(PRIO_PGRP, first));
    CALL(setpriority(PRIO_PROCESS, first, 19));
    printf("group %ld\n", RAW(PRIO_PGRP, first));
    write(ends[1], "xx", 2);
    wait(NULL);
    wait(NULL);
    CALL(RAW(PRIO_PGRP, first));
    CHILD({
        setpriority(PRIO_PROCESS, 0, 9);
        execl("/bin/sh", "sh", "-c", "nice", NULL);
        execl("/bin/busybox", "sh", "-c", "nice", NULL);
    });
    return 0;
}
