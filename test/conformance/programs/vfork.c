/* vfork: the parent waits, memory and stack are one; exec, exit and death of the child let it go on. */
#include "check.h"
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>

static volatile int global;
static char self[256];

static __attribute__((noinline)) int child_changes(void) {
    global = 5;
    return 6;
}

int main(int argc, char **argv) {
    if (argc > 1)
        return atoi(argv[1]);
    readlink("/proc/self/exe", self, sizeof self - 1);
    volatile int local = 1;
    int status;
    pid_t me = getpid();
    pid_t pid = vfork();
    if (pid == 0) {
        local = child_changes();
        _exit(getppid() == me && getpid() != me ? 3 : 4);
    }
    printf("global %d local %d\n", global, local);
    waitpid(pid, &status, 0);
    show_status("exit", status);

    pid = vfork();
    if (pid == 0) {
        global = 7;
        execl(self, self, "21", NULL);
        _exit(1);
    }
    printf("global %d\n", global);
    waitpid(pid, &status, 0);
    show_status("exec", status);

    pid = vfork();
    if (pid == 0) {
        execl("/does/not/exist", "x", NULL);
        global = errno;
        _exit(2);
    }
    printf("failed exec %s\n", errno_name(global));
    waitpid(pid, &status, 0);
    show_status("failed", status);

    pid = vfork();
    if (pid == 0) {
        kill(getpid(), SIGKILL);
        for (;;)
            pause();
    }
    waitpid(pid, &status, 0);
    show_status("killed", status);

    /* It sleeps; the parent with it. Descriptors are the child's own. */
    int ends[2];
    pipe(ends);
    struct timespec a, b, nap = {0, 20000000};
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid = vfork();
    if (pid == 0) {
        close(ends[0]);
        nanosleep(&nap, NULL);
        global = 9;
        _exit(0);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    HOLDS((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 20000000);
    printf("global %d\n", global);
    CALL(fcntl(ends[0], F_GETFD));
    waitpid(pid, NULL, 0);
    /* What the child maps is there for the parent. */
    static char *volatile mapped;
    pid = vfork();
    if (pid == 0) {
        mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mapped[0] = 11;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    printf("mapped %d\n", mapped[0]);
    /* Children of vfork's children. */
    pid = vfork();
    if (pid == 0) {
        pid_t inner = vfork();
        if (inner == 0) {
            global = 12;
            _exit(0);
        }
        waitpid(inner, NULL, 0);
        global++;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    printf("global %d\n", global);
    /* Unmapped, broken, protected, attached and grown by the child: so it is for the parent. */
    char *page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static char *volatile heap, *volatile attached;
    int segment = shmget(IPC_PRIVATE, 4096, 0600);
    mlock(page + 4096, 4096);
    pid = vfork();
    if (pid == 0) {
        munmap(page, 4096);
        page[4096] = 13;
        heap = sbrk(4096);
        heap[0] = 14;
        attached = shmat(segment, NULL, 0);
        attached[0] = 15;
        execl(self, self, "0", NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    unsigned char vector;
    CALL(mincore(page, 4096, &vector));
    CALL(madvise(page + 4096, 4096, MADV_DONTNEED));
    HOLDS(sbrk(0) == heap + 4096);
    struct shmid_ds ds;
    shmctl(segment, IPC_STAT, &ds);
    printf("%d %d %d attached %lu\n", page[4096], heap[0], attached[0], (unsigned long)ds.shm_nattch);
    shmdt(attached);
    shmctl(segment, IPC_RMID, NULL);

    /* A parent that is killed meanwhile; the child goes on with the memory. */
    pipe(ends);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid = fork();
    if (pid == 0) {
        global = 20;
        pid_t inner = vfork();
        if (inner == 0) {
            char byte;
            global++;
            write(ends[1], "x", 1);
            while (getppid() != me)
                nanosleep(&nap, NULL);
            _exit(global);
        }
        _exit(1);
    }
    char byte;
    read(ends[0], &byte, 1);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    show_status("parent", status);
    wait(&status);
    show_status("child", status);

    /* What is built on it. */
    char *arguments[] = {self, "33", NULL};
    CALL(posix_spawn(&pid, self, NULL, NULL, arguments, arguments + 2));
    waitpid(pid, &status, 0);
    show_status("spawned", status);
    printf("%s\n", errno_name(posix_spawn(&pid, "/does/not/exist", NULL, NULL, arguments, arguments + 2)));
    printf("system %#x\n", system("exit 7"));
    FILE *output = popen("echo from a pipe", "r");
    char line[64] = "";
    fgets(line, sizeof line, output);
    printf("%sclosed %d\n", line, pclose(output));
    return 0;
}
