/* SIGPIPE and EPIPE: writing where nobody reads. */
#include "check.h"
#include <sys/uio.h>

static int count;
static void handler(int signal) { count++; }

int main(void) {
    static char buf[100000];
    int p[2];
    pipe(p);
    close(p[0]);
    CHILD(write(p[1], "x", 1); puts("not reached"));
    CHILD(signal(SIGPIPE, SIG_IGN); CALL(write(p[1], "x", 1)); CALL(write(p[1], "", 0)); CALL(writev(p[1], &(struct iovec){"x", 1}, 1)));
    CHILD(signal(SIGPIPE, handler); CALL(write(p[1], "x", 1)); CALL(count); CALL(write(p[1], "", 0)); CALL(count));
    CHILD(sigset_t set; sigemptyset(&set); sigaddset(&set, SIGPIPE); sigprocmask(SIG_BLOCK, &set, NULL); CALL(write(p[1], "x", 1));
          sigpending(&set); CALL(sigismember(&set, SIGPIPE)); siginfo_t info; sigemptyset(&set); sigaddset(&set, SIGPIPE); CALL(sigwaitinfo(&set, &info));
          printf("code %d own pid %d\n", info.si_code, info.si_pid == getpid()));
    close(p[1]);

    puts("-- the reader goes while the writer waits");
    pipe(p);
    signal(SIGPIPE, SIG_IGN);
    fflush(stdout);
    if (fork() == 0) {
        close(p[1]);
        usleep(20000);
        _exit(0);
    }
    close(p[0]);
    CALL(write(p[1], buf, sizeof buf));
    CALL(write(p[1], buf, 1));
    wait(NULL);
    close(p[1]);

    puts("-- through exec");
    pipe(p);
    close(p[0]);
    CHILD(signal(SIGPIPE, SIG_DFL); dup2(p[1], 1); printf("%8000d", 1); fflush(stdout));
    return 0;
}
