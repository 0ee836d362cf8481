/* getrlimit, setrlimit, prlimit64: rules, and that each limit is enforced. */
#include "fault.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static void show(const char *label, int resource) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        printf("%s: %s\n", label, errno_name(errno));
    else
        printf("%s: %ld %ld\n", label, (long)limit.rlim_cur, (long)limit.rlim_max);
}

static int set(int resource, long soft, long hard) {
    struct rlimit limit = {soft, hard};
    return setrlimit(resource, &limit);
}

static volatile sig_atomic_t count;
static void counter(int signal) { count++; }

static volatile long spinning;

int main(void) {
    catch_faults();
    scratch("limits");
    struct rlimit limit = {10, 5};
    CALL(syscall(SYS_getrlimit, 16, &limit));
    CALL(syscall(SYS_getrlimit, -1, &limit));
    CALL(syscall(SYS_getrlimit, RLIMIT_NOFILE, UNMAPPED));
    CALL(syscall(SYS_setrlimit, RLIMIT_NOFILE, UNMAPPED));
    limit.rlim_cur = 10;
    limit.rlim_max = 5;
    CALL(syscall(SYS_setrlimit, RLIMIT_CORE, &limit));
    CALL(syscall(SYS_setrlimit, 16, &limit));
    CALL(syscall(SYS_prlimit64, 0, 16, NULL, &limit));
    CALL(syscall(SYS_prlimit64, 0x3fffffff, RLIMIT_CORE, NULL, &limit));
    CALL(syscall(SYS_prlimit64, -1, RLIMIT_CORE, NULL, &limit));
    CALL(syscall(SYS_prlimit64, 0, RLIMIT_CORE, UNMAPPED, NULL));
    CALL(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, UNMAPPED));
    CALL(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, NULL));
    CALL(syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, NULL, &limit));
    show("core", RLIMIT_CORE);
    for (int i = 0; i < 16; i++) {
        struct rlimit any;
        printf("%d: %s\n", i, getrlimit(i, &any) == 0 && any.rlim_cur <= any.rlim_max ? "ok" : "not");
    }
    CHILD({
        limit.rlim_cur = 100;
        limit.rlim_max = 200;
        struct rlimit old;
        CALL(prlimit(0, RLIMIT_NOFILE, &limit, &old));
        show("files", RLIMIT_NOFILE);
        CALL(set(RLIMIT_NOFILE, 200, 200));
        CALL(set(RLIMIT_NOFILE, 50, 150));
        show("lowered", RLIMIT_NOFILE);
        CALL(set(RLIMIT_NOFILE, 50, 2000000000));
        become(1000, 1000);
        CALL(set(RLIMIT_NOFILE, 60, 100));
        CALL(set(RLIMIT_NOFILE, 60, 101));
        CALL(set(RLIMIT_NOFILE, 101, 100));
        CALL(set(RLIMIT_NOFILE, 100, 100));
        show("others may not", RLIMIT_NOFILE);
        CALL(prlimit(getppid(), RLIMIT_NOFILE, NULL, &old));
        CALL(prlimit(1, RLIMIT_NOFILE, NULL, &old));
        CHILD(show("inherited", RLIMIT_NOFILE));
        execl("/bin/sh", "sh", "-c", "ulimit -n", NULL);
        execl("/bin/busybox", "sh", "-c", "ulimit -n", NULL);
    });
    /* Of another process. */
    int ends[2];
    pipe(ends);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        read(ends[0], &byte, 1);
        show("set by the parent", RLIMIT_FSIZE);
        _exit(0);
    }
    limit.rlim_cur = 1234;
    limit.rlim_max = 5678;
    CALL(prlimit(pid, RLIMIT_FSIZE, &limit, NULL));
    write(ends[1], "x", 1);
    waitpid(pid, NULL, 0);

    CHILD({
        /* NOFILE: one more than the highest descriptor. */
        set(RLIMIT_NOFILE, 12, 12);
        int fd, highest = -1;
        while ((fd = dup(0)) >= 0)
            highest = fd;
        printf("highest %d %s\n", highest, errno_name(errno));
        CALL(open("/", O_RDONLY));
        CALL(dup2(0, 12));
        CALL(dup2(0, 11));
        CALL(fcntl(0, F_DUPFD, 12));
        CALL(fcntl(0, F_DUPFD, 11));
        int more[2];
        close(11);
        CALL(pipe(more));
        /* What is open stays open. */
        set(RLIMIT_NOFILE, 5, 5);
        CALL(fcntl(10, F_GETFD));
        close(4);
        CALL(dup(0));
        CALL(dup(0));
    });
    CHILD({
        /* FSIZE: SIGXFSZ, or EFBIG to those who catch it. */
        signal(SIGXFSZ, counter);
        set(RLIMIT_FSIZE, 100, 1000);
        int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
        char block[64] = "";
        CALL(write(fd, block, 64));
        CALL(write(fd, block, 64));
        CALL(write(fd, block, 64));
        printf("signals %d\n", count);
        CALL(pwrite(fd, block, 10, 95));
        CALL(pwrite(fd, block, 10, 100));
        CALL(pwrite(fd, block, 10, 500));
        CALL(ftruncate(fd, 100));
        CALL(ftruncate(fd, 101));
        CALL(truncate("file", 200));
        CALL(write(fd, block, 0));
        printf("signals %d\n", count);
        struct stat st;
        fstat(fd, &st);
        printf("size %ld\n", (long)st.st_size);
        int p[2];
        pipe(p);
        CALL(write(p[1], block, 64));
        CALL(write(p[1], block, 64));
        signal(SIGXFSZ, SIG_DFL);
        fflush(stdout);
        write(fd, block, 64);
    });
    CHILD({
        /* NPROC: counted by real user; root is free. */
        set(RLIMIT_NPROC, 1, 1);
        pid_t one = fork();
        if (one == 0)
            _exit(0);
        printf("root forks %d\n", one > 0);
        waitpid(one, NULL, 0);
        become(54321, 54321);
        CALL(fork());
        CALL(vfork());
        execl("/bin/true", "true", NULL);
        execl("/bin/busybox", "true", NULL);
    });
    CHILD({
        set(RLIMIT_NPROC, 2, 2);
        become(54322, 54322);
        pid_t one = fork();
        if (one == 0) {
            pause();
            _exit(0);
        }
        CALL(fork());
        kill(one, SIGKILL);
        /* A zombie counts. */
        siginfo_t info;
        waitid(P_PID, one, &info, WEXITED | WNOWAIT);
        CALL(fork());
        waitpid(one, NULL, 0);
        one = fork();
        if (one == 0)
            _exit(0);
        printf("again %d\n", one > 0);
        waitpid(one, NULL, 0);
    });
    CHILD({
        /* AS. */
        set(RLIMIT_AS, 64 << 20, RLIM_INFINITY);
        HOLDS(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
        HOLDS(mmap(NULL, 128 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
        char *at = mmap(NULL, 8 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        HOLDS(at != MAP_FAILED);
        HOLDS(mremap(at, 8 << 20, 100 << 20, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
        HOLDS(malloc(100 << 20) == NULL);
        CHILD(HOLDS(malloc(100 << 20) == NULL));
        munmap(at, 8 << 20);
        int blocks = 0;
        while (mmap(NULL, 4 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
            blocks++;
        HOLDS(blocks >= 12 && blocks <= 16);
    });
    CHILD({
        /* DATA: private writable memory. */
        set(RLIMIT_DATA, 32 << 20, RLIM_INFINITY);
        HOLDS(mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
        char *at = mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        HOLDS(at != MAP_FAILED);
        CALL(mprotect(at, 64 << 20, PROT_READ | PROT_WRITE));
        CALL(mprotect(at, 1 << 20, PROT_READ | PROT_WRITE));
        HOLDS(mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    });
    /* CPU: SIGXCPU each second after the soft limit, SIGKILL at the hard one. 0 means at once, as 1 does. */
    CHILD({
        signal(SIGXCPU, counter);
        struct rlimit none = {0, RLIM_INFINITY};
        setrlimit(RLIMIT_CPU, &none);
        show("cpu", RLIMIT_CPU);
    });
    return 0;
}
