/* Processes that share memory: vfork and posix_spawn while other threads run, clone with CLONE_VM, in every order of ends. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>

static volatile int running = 1, counted, global;
static char self[256];
static char *stacks;

static void *count(void *argument) {
    while (running) {
        counted++;
        sched_yield();
    }
    return NULL;
}

static void *spawn_often(void *argument) {
    long good = 0;
    char *arguments[] = {self, "7", NULL};
    for (int i = 0; i < 5; i++) {
        pid_t pid;
        int status;
        if (posix_spawn(&pid, self, NULL, NULL, arguments, arguments + 2) == 0 && waitpid(pid, &status, 0) == pid)
            good += WEXITSTATUS(status);
    }
    return (void *)good;
}

static int raise_it(void *argument) {
    __atomic_add_fetch(&global, (int)(long)argument, __ATOMIC_SEQ_CST);
    return 3;
}

static int outlive(void *argument) {
    usleep(20000);
    global += 100;
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[0] = 1;
    free(malloc(1000));
    _exit(global == 101 ? 17 : 18);
}

static int exec_it(void *argument) {
    global++;
    execl(self, self, "9", NULL);
    return 1;
}

static int fault(void *argument) {
    *(volatile int *)16 = 0;
    return 0;
}

static pid_t made(int (*body)(void *), long argument, int flags) {
    static int used;
    return clone(body, stacks + ++used * 65536, CLONE_VM | flags, (void *)argument);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return atoi(argv[1]);
    readlink("/proc/self/exe", self, sizeof self - 1);
    stacks = mmap(NULL, 32 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;
    pthread_t threads[8];

    /* vfork stops the thread that calls it, and no other. */
    pthread_create(threads, NULL, count, NULL);
    pid_t pid = vfork();
    if (pid == 0) {
        int before = counted;
        while (counted < before + 10)
            usleep(1000);
        global = 1;
        _exit(5);
    }
    int between = counted;
    HOLDS(between >= 10);
    waitpid(pid, &status, 0);
    show_status("vfork among threads", status);
    while (counted < between + 10)
        sched_yield();
    running = 0;
    pthread_join(threads[0], NULL);
    HOLDS(counted >= between + 10);
    printf("global %d\n", global);

    long good = 0;
    for (int i = 0; i < 8; i++)
        pthread_create(threads + i, NULL, spawn_often, NULL);
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        good += (long)result;
    }
    printf("spawned %ld\n", good);

    /* Memory that two processes use at the same time. */
    global = 0;
    pid_t pids[4];
    for (int i = 0; i < 4; i++)
        pids[i] = made(raise_it, 1 << i, SIGCHLD);
    for (int i = 0; i < 4; i++) {
        waitpid(pids[i], &status, 0);
        show_status("shares", status);
    }
    printf("global %#x\n", global);
    pid = made(exec_it, 0, SIGCHLD);
    waitpid(pid, &status, 0);
    show_status("executes", status);
    printf("global %#x\n", global);
    pid = made(exec_it, 0, CLONE_VFORK | SIGCHLD);
    printf("global %#x\n", global);
    waitpid(pid, &status, 0);
    show_status("executes, parent waits", status);
    pid = made(fault, 0, SIGCHLD);
    waitpid(pid, &status, 0);
    show_status("dies", status);

    /* Its maker ends, or executes, before it. */
    int ends[2];
    for (int executes = 0; executes < 2; executes++) {
        pipe(ends);
        fflush(stdout);
        pid_t maker = fork();
        if (maker == 0) {
            global = 1;
            made(outlive, 0, SIGCHLD);
            if (executes)
                execl(self, self, "4", NULL);
            _exit(4);
        }
        waitpid(maker, &status, 0);
        show_status("maker", status);
        char byte;
        close(ends[1]);
        CALL(read(ends[0], &byte, 1));
        close(ends[0]);
    }
    printf("global %#x\n", global);
    CALL(brk(sbrk(0) + 4096));
    return 0;
}
