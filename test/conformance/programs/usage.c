/* times, getrusage, wait4's usage: what is counted to whom, and errors. */
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>

static volatile long spin;
static long cpu(struct rusage *u) {
    return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000 + u->ru_utime.tv_usec + u->ru_stime.tv_usec;
}

static void burn(void) {
    struct timespec t;
    do {
        for (int i = 0; i < 10000; i++)
            spin++;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    } while (t.tv_sec == 0 && t.tv_nsec < 40000000);
}

int main(void) {
    struct rusage self, children, of, after;
    struct tms t, u;
    CALL(getrusage(RUSAGE_SELF, &self));
    CALL(getrusage(RUSAGE_CHILDREN, &children));
    CALL(getrusage(RUSAGE_THREAD, &of));
    CALL(getrusage(77, &of));
    CALL(getrusage(-2, &of));
    CALL(getrusage(RUSAGE_SELF, UNMAPPED));
    CALL(getrusage(RUSAGE_SELF, BAD_POINTER));
    HOLDS(cpu(&children) == 0 && children.ru_minflt == 0 && children.ru_maxrss == 0);
    HOLDS(self.ru_maxrss > 0);
    HOLDS(sysconf(_SC_CLK_TCK) == 100);
    WORKS(times(&t));
    WORKS(syscall(SYS_times, NULL));
    CALL(syscall(SYS_times, UNMAPPED));
    HOLDS(t.tms_cutime == 0 && t.tms_cstime == 0);
    clock_t before = times(&t);
    usleep(30000);
    HOLDS(times(&u) - before >= 2);

    pid_t pid = fork();
    if (pid == 0) {
        burn();
        _exit(0);
    }
    int status;
    memset(&of, 0xff, sizeof of);
    HOLDS(wait4(pid, &status, 0, &of) == pid);
    HOLDS(cpu(&of) >= 30000 && cpu(&of) < 20000000);
    getrusage(RUSAGE_CHILDREN, &children);
    HOLDS(cpu(&children) >= cpu(&of) - 1000 && cpu(&children) <= cpu(&of) + 10000);
    HOLDS(children.ru_maxrss > 0);
    times(&u);
    HOLDS(u.tms_cutime + u.tms_cstime >= 3);
    /* A grandchild's comes with its parent, if that has waited for it. */
    pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            burn();
            _exit(0);
        }
        wait(NULL);
        _exit(0);
    }
    wait4(pid, &status, 0, &of);
    HOLDS(cpu(&of) >= 30000);
    getrusage(RUSAGE_CHILDREN, &after);
    HOLDS(cpu(&after) >= cpu(&children) + 30000);
    /* Not waited for: not counted. */
    signal(SIGCHLD, SIG_IGN);
    pid = fork();
    if (pid == 0) {
        burn();
        _exit(0);
    }
    CALL(wait(NULL));
    getrusage(RUSAGE_CHILDREN, &children);
    HOLDS(cpu(&children) == cpu(&after));
    signal(SIGCHLD, SIG_DFL);
    /* A child begins with nothing of its parent's; what it uses here is far less, however busy the machine. */
    do
        spin++, getrusage(RUSAGE_SELF, &self);
    while (cpu(&self) < 500000);
    CHILD({
        getrusage(RUSAGE_CHILDREN, &children);
        HOLDS(cpu(&children) == 0);
        getrusage(RUSAGE_SELF, &self);
        HOLDS(cpu(&self) < 400000);
    });
    /* Pages touched are faults. */
    getrusage(RUSAGE_SELF, &self);
    char *pages = mmap(NULL, 256 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(pages, 256 * 4096, MADV_NOHUGEPAGE);
    for (int i = 0; i < 256; i++)
        pages[i * 4096] = 1;
    getrusage(RUSAGE_SELF, &after);
    HOLDS(after.ru_minflt - self.ru_minflt >= 256);
    HOLDS(after.ru_maxrss >= self.ru_maxrss);
    pid = fork();
    if (pid == 0)
        _exit(0);
    CALL(wait4(pid, &status, 0, UNMAPPED));
    CALL(wait4(-1, NULL, 0, NULL));
    return 0;
}
