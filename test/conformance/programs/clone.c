/* fork, vfork, clone as fork: what child and parent have, and refused flags. */
#include "check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static int global = 1;

static long raw_clone(unsigned long flags, int *parent, int *child) {
    return syscall(SYS_clone, flags, 0, parent, child, 0);
}

int main(void) {
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *private = mmap(NULL, 4096 * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *private = 5;
    private[2048] = 6;
    pid_t self = getpid();
    int status;

    pid_t pid = fork();
    if (pid == 0) {
        HOLDS(getppid() == self);
        HOLDS(getpid() != self);
        HOLDS(syscall(SYS_gettid) == getpid());
        global = 2;
        *private = 7;
        *shared = 8;
        printf("child %d %d %d\n", global, *private, private[2048]);
        fflush(stdout);
        _exit(0);
    }
    private[2048] = 9;
    waitpid(pid, &status, 0);
    show_status("fork", status);
    printf("parent %d %d %d shared %d\n", global, *private, private[2048], *shared);

    /* The child of vfork runs first. */
    *shared = 0;
    pid = vfork();
    if (pid == 0) {
        *shared = 1;
        _exit(4);
    }
    printf("after vfork: %d\n", *shared);
    waitpid(pid, &status, 0);
    show_status("vfork", status);

    int parent_tid = 0, child_tid = 0;
    pid = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, &parent_tid, &child_tid);
    if (pid == 0)
        _exit(child_tid == getpid() ? 11 : 12);
    HOLDS(parent_tid == pid);
    HOLDS(child_tid == 0);
    waitpid(pid, &status, 0);
    show_status("clone", status);

    /* Another exit signal: wait must be told. */
    signal(SIGUSR1, SIG_IGN);
    pid = raw_clone(SIGUSR1, NULL, NULL);
    if (pid == 0)
        _exit(13);
    CALL(waitpid(pid, &status, 0));
    HOLDS(waitpid(pid, &status, __WCLONE) == pid);
    show_status("clone without SIGCHLD", status);
    pid = raw_clone(0, NULL, NULL);
    if (pid == 0)
        _exit(14);
    HOLDS(waitpid(pid, &status, __WALL) == pid);
    show_status("clone without a signal", status);

    CALL(raw_clone(CLONE_THREAD | SIGCHLD, NULL, NULL));
    CALL(raw_clone(CLONE_SIGHAND | SIGCHLD, NULL, NULL));
    CALL(raw_clone(CLONE_PARENT_SETTID | CLONE_FS | CLONE_NEWNS | SIGCHLD, &parent_tid, NULL));

    /* Deep: each has the memory of its parent. */
    for (int depth = 0; depth < 5; depth++) {
        fflush(stdout);
        pid = fork();
        if (pid != 0) {
            waitpid(pid, &status, 0);
            if (depth == 0)
                show_status("deep", status);
            else
                _exit(WEXITSTATUS(status));
            break;
        }
        *private += depth;
        if (depth == 4)
            _exit(*private);
    }

    /* Many pages: copied only where written, and right all the same. */
    char *big = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 256; i++)
        big[i * 4096] = i;
    pid = fork();
    if (pid == 0) {
        int good = 0;
        for (int i = 0; i < 256; i += 2)
            big[i * 4096]++;
        for (int i = 0; i < 256; i++)
            good += (unsigned char)big[i * 4096] == (unsigned char)(i + (i % 2 == 0));
        _exit(good == 256 ? 0 : 1);
    }
    for (int i = 0; i < 256; i += 3)
        big[i * 4096] += 100;
    waitpid(pid, &status, 0);
    show_status("many pages", status);
    int good = 0;
    for (int i = 0; i < 256; i++)
        good += (unsigned char)big[i * 4096] == (unsigned char)(i + (i % 3 == 0 ? 100 : 0));
    printf("good %d\n", good);
    return 0;
}
