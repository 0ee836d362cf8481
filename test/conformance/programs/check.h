/*
 * What conformance programs share. A program calls the system and prints what came back: results, errnos by name, decoded
 * structures. It prints nothing that differs from run to run (addresses, PIDs, times, inode numbers): only relations
 * between them. Its output and status on Linux are recorded (expected/); here they must be the same.
 */
#ifndef CHECK_H
#define CHECK_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Newer than some C libraries. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static inline const char *errno_name(int number) {
    static char buffer[16];
    const char *name = strerrorname_np(number);
    if (name)
        return name;
    snprintf(buffer, sizeof buffer, "E%d", number);
    return buffer;
}

/* Prints `label: value` or `label: ENOENT`. */
#define SHOW(label, call)                                                                                              \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long show_result = (long)(call);                                                                               \
        if (show_result == -1)                                                                                         \
            printf("%s: %s\n", label, errno_name(errno));                                                              \
        else                                                                                                           \
            printf("%s: %ld\n", label, show_result);                                                                   \
        fflush(stdout);                                                                                                \
    } while (0)

/* As SHOW, with the call's own text as label. */
#define CALL(call) SHOW(#call, call)

/* As CALL for results that differ from run to run: prints `ok` or the errno. */
#define WORKS(call)                                                                                                    \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        if ((long)(call) == -1)                                                                                        \
            printf("%s: %s\n", #call, errno_name(errno));                                                              \
        else                                                                                                           \
            printf("%s: ok\n", #call);                                                                                 \
        fflush(stdout);                                                                                                \
    } while (0)

/* Prints whether a condition holds. */
#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        printf("%s: %s\n", #condition, (condition) ? "yes" : "no");                                                    \
        fflush(stdout);                                                                                                \
    } while (0)

/* Forks, runs `body` in the child, which exits with 0 if it falls through, and prints how it ended. */
#define CHILD(...)                                                                                                     \
    do {                                                                                                               \
        fflush(stdout);                                                                                                \
        pid_t child_pid = fork();                                                                                      \
        if (child_pid == 0) {                                                                                          \
            __VA_ARGS__;                                                                                               \
            fflush(stdout);                                                                                            \
            _exit(0);                                                                                                  \
        }                                                                                                              \
        int child_status = -1;                                                                                         \
        waitpid(child_pid, &child_status, 0);                                                                          \
        show_status("child", child_status);                                                                            \
    } while (0)

static inline void show_status(const char *label, int status) {
    if (WIFEXITED(status))
        printf("%s: exited %d\n", label, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: killed by SIG%s\n", label, sigabbrev_np(WTERMSIG(status)));
    else if (WIFSTOPPED(status))
        printf("%s: stopped by SIG%s\n", label, sigabbrev_np(WSTOPSIG(status)));
    else if (WIFCONTINUED(status))
        printf("%s: continued\n", label);
    else
        printf("%s: status %#x\n", label, status);
    fflush(stdout);
}

/* A pointer that no process can use. */
#define BAD_POINTER ((void *)0x8000000000001000ul)
#define UNMAPPED ((void *)0x10)

/* Every program works in an empty folder of its own. */
static inline void scratch(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "/tmp/conformance-%s-%d", name, getpid());
    if (mkdir(path, 0755) != 0 || chdir(path) != 0) {
        perror(path);
        exit(99);
    }
    umask(022);
}

/* As scratch, and the folder is a tmpfs of its own: nothing depends on what the disk of the host is. */
static inline void scratch_tmpfs(const char *name) {
    scratch(name);
    char path[128];
    if (getcwd(path, sizeof path) == NULL || mount("tmpfs", path, "tmpfs", 0, "mode=755") != 0 || chdir(path) != 0) {
        perror(path);
        exit(99);
    }
}

/* Takes the tmpfs of scratch_tmpfs away again. */
static inline void leave_tmpfs(void) {
    char path[128];
    if (getcwd(path, sizeof path) != NULL && chdir("/") == 0 && umount(path) == 0)
        rmdir(path);
}

/* Makes the process one without privilege. */
static inline void become(uid_t uid, gid_t gid) {
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        _exit(98);
}
#endif
