/* Threads: clone and clone3 as the C library makes them, and by hand; ids, thread-local data, ends, exec and fork from one. */
#include "check.h"
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static __thread int mine = 7;
static int shared, turn;
static char self[256];

static void *count(void *argument) {
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&lock);
        shared++;
        mine++;
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    while (turn != (long)argument)
        pthread_cond_wait(&changed, &lock);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return (void *)(long)mine;
}

static void *ids(void *argument) {
    HOLDS(getpid() == *(pid_t *)argument);
    HOLDS(gettid() != getpid());
    HOLDS(syscall(SYS_gettid) == gettid());
    return NULL;
}

static void *exec_it(void *argument) {
    execl(self, self, "exec", NULL);
    return NULL;
}

static void *fork_it(void *argument) {
    pid_t pid = fork();
    if (pid == 0) {
        HOLDS(gettid() == getpid());
        shared = 99;
        fflush(stdout);
        _exit(5);
    }
    int status;
    waitpid(pid, &status, 0);
    show_status("forked by a thread", status);
    return NULL;
}

static void *leave_last(void *argument) {
    usleep(20000);
    printf("last\n");
    fflush(stdout);
    syscall(SYS_exit, 9);
    return NULL;
}

static void *leave_all(void *argument) {
    usleep(10000);
    exit(33);
}

static void *never(void *argument) {
    for (;;)
        pause();
}

static volatile int spun;
static void *spin(void *argument) {
    while (!spun)
        ;
    return NULL;
}

static long raw_clone3(void *args, size_t size) {
    return syscall(SYS_clone3, args, size);
}

static int by_hand(void *argument) {
    *(volatile int *)argument = gettid();
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        HOLDS(gettid() == getpid());
        HOLDS(getpid() == atoi(getenv("PID")));
        return 21;
    }
    readlink("/proc/self/exe", self, sizeof self - 1);
    pthread_t threads[16];
    for (long i = 0; i < 16; i++)
        if (pthread_create(threads + i, NULL, count, (void *)i))
            printf("pthread_create failed\n");
    long sum = 0;
    for (int i = 0; i < 16; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("shared %d turn %d sum %ld mine %d\n", shared, turn, sum, mine);

    pid_t me = getpid();
    pthread_create(threads, NULL, ids, &me);
    pthread_join(threads[0], NULL);
    pthread_create(threads, NULL, fork_it, NULL);
    pthread_join(threads[0], NULL);
    printf("shared %d\n", shared);

    /* One that spins does not keep the others from running. */
    pthread_create(threads, NULL, spin, NULL);
    pthread_create(threads + 1, NULL, spin, NULL);
    usleep(20000);
    spun = 1;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    printf("spun\n");

    /* The word of CLONE_CHILD_CLEARTID is cleared and woken. */
    static volatile int told, tid_word;
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int parent_tid = 0;
    tid_word = 1;
    int made = clone(by_hand, stack + 65536,
                     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                         CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID,
                     (void *)&told, &parent_tid, NULL, (void *)&tid_word);
    HOLDS(made == parent_tid);
    for (int seen; (seen = tid_word) != 0;)
        syscall(SYS_futex, &tid_word, 0, seen, NULL, NULL, 0);
    HOLDS(told == made);

    /* How the process ends. */
    CHILD(pthread_create(threads, NULL, leave_all, NULL); pthread_create(threads + 1, NULL, never, NULL); pause());
    CHILD(pthread_create(threads, NULL, leave_last, NULL); syscall(SYS_exit, 12));
    CHILD(pthread_create(threads, NULL, never, NULL); kill(getpid(), SIGKILL); pause());
    CHILD(pthread_create(threads, NULL, never, NULL); abort());
    CHILD(pthread_create(threads, NULL, never, NULL); return 14);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char text[32];
        snprintf(text, sizeof text, "%d", getpid());
        setenv("PID", text, 1);
        pthread_create(threads + 1, NULL, never, NULL);
        pthread_create(threads, NULL, exec_it, NULL);
        never(NULL);
    }
    int status;
    waitpid(pid, &status, 0);
    show_status("exec from a thread", status);

    /* What is refused. */
    CALL(syscall(SYS_clone, CLONE_THREAD, 0, NULL, NULL, 0));
    CALL(syscall(SYS_clone, CLONE_THREAD | CLONE_VM, 0, NULL, NULL, 0));
    CALL(syscall(SYS_clone, CLONE_SIGHAND, 0, NULL, NULL, 0));
    struct clone_args args = {0};
    CALL(raw_clone3(&args, 0));
    CALL(raw_clone3(&args, 63));
    CALL(raw_clone3(&args, 5000));
    CALL(raw_clone3(NULL, sizeof args));
    char large[sizeof args + 8];
    memset(large, 0, sizeof large);
    large[sizeof args + 1] = 1;
    CALL(raw_clone3(large, sizeof large));
    args.flags = CLONE_THREAD;
    CALL(raw_clone3(&args, sizeof args));
    args.flags = SIGCHLD;
    CALL(raw_clone3(&args, sizeof args));
    args.flags = CLONE_DETACHED;
    CALL(raw_clone3(&args, sizeof args));
    args.flags = CLONE_PARENT;
    args.exit_signal = SIGCHLD;
    CALL(raw_clone3(&args, sizeof args));
    args.flags = 0;
    args.exit_signal = 65;
    CALL(raw_clone3(&args, sizeof args));
    args.exit_signal = SIGCHLD;
    args.stack = (uintptr_t)stack;
    CALL(raw_clone3(&args, sizeof args));
    args.stack = 0;
    args.stack_size = 4096;
    CALL(raw_clone3(&args, sizeof args));
    args.stack_size = 0;
    args.flags = 1ull << 40;
    CALL(raw_clone3(&args, sizeof args));
    args.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID;
    args.parent_tid = (uintptr_t)&parent_tid;
    args.child_tid = (uintptr_t)&tid_word;
    pid = raw_clone3(&args, CLONE_ARGS_SIZE_VER0);
    if (pid == 0)
        _exit(tid_word == getpid() ? 3 : 4);
    HOLDS(parent_tid == pid);
    waitpid(pid, &status, 0);
    show_status("clone3", status);
    return 0;
}
