/* futex between processes: wait and wake in shared memory, bitsets, timeouts, requeue, signals; CLONE_CHILD_CLEARTID. */
#include "check.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/time.h>

static long futex(volatile int *at, int operation, int value, const void *timeout, volatile int *second, int third) {
    return syscall(SYS_futex, at, operation, value, timeout, second, third);
}

static void nothing(int signal) {}

int main(void) {
    volatile int *word = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int private = 0;
    struct timespec tick = {0, 10000000}, zero = {0, 0}, wrong = {0, -1}, far = {5, 0};
    CALL(futex(word, FUTEX_WAIT, 1, NULL, NULL, 0));
    CALL(futex(word, FUTEX_WAIT, 0, &tick, NULL, 0));
    CALL(futex(word, FUTEX_WAIT, 0, &zero, NULL, 0));
    CALL(futex(word, FUTEX_WAIT, 0, &wrong, NULL, 0));
    CALL(futex(word, FUTEX_WAIT, 0, UNMAPPED, NULL, 0));
    CALL(futex((int *)((char *)word + 2), FUTEX_WAIT, 0, &tick, NULL, 0));
    CALL(futex((int *)((char *)word + 2), FUTEX_WAKE, 1, NULL, NULL, 0));
    CALL(futex(UNMAPPED, FUTEX_WAIT, 0, &tick, NULL, 0));
    CALL(futex(UNMAPPED, FUTEX_WAKE, 1, NULL, NULL, 0));
    CALL(futex(UNMAPPED, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0));
    CALL(futex(BAD_POINTER, FUTEX_WAIT, 0, &tick, NULL, 0));
    CALL(futex(word, FUTEX_WAKE, 1, NULL, NULL, 0));
    CALL(futex(word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
    CALL(futex(word, FUTEX_WAIT_BITSET, 0, &zero, NULL, 1));
    CALL(futex(word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &zero, NULL, 1));
    CALL(futex(word, FUTEX_REQUEUE, 1, (void *)1, word + 1, 0));
    CALL(futex(word, FUTEX_CMP_REQUEUE, 1, (void *)1, word + 1, 5));
    CALL(futex(word, FUTEX_CMP_REQUEUE, -1, (void *)1, word + 1, 0));
    CALL(futex(word, 99, 1, NULL, NULL, 0));
    CALL(futex(&private, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &tick, NULL, 0));

    /* Two processes over shared memory. */
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        while (word[0] == 0)
            futex(word, FUTEX_WAIT, 0, &far, NULL, 0);
        word[1] = 2;
        futex(word + 1, FUTEX_WAKE, 1, NULL, NULL, 0);
        _exit(0);
    }
    usleep(10000);
    word[0] = 1;
    printf("woken %ld\n", futex(word, FUTEX_WAKE, 10, NULL, NULL, 0));
    while (word[1] == 0)
        futex(word + 1, FUTEX_WAIT, 0, &far, NULL, 0);
    int status;
    waitpid(pid, &status, 0);
    show_status("child", status);

    /* Several waiters: as many as asked for. */
    word[0] = word[1] = 0;
    pid_t pids[4];
    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(futex(word, FUTEX_WAIT, 0, &far, NULL, 0) == 0 ? 1 : 2);
    }
    usleep(30000);
    CALL(futex(word, FUTEX_WAKE, 1, NULL, NULL, 0));
    CALL(futex(word, FUTEX_WAKE, 2, NULL, NULL, 0));
    CALL(futex(word, FUTEX_WAKE, 100, NULL, NULL, 0));
    CALL(futex(word, FUTEX_WAKE, 100, NULL, NULL, 0));
    for (int i = 0; i < 4; i++) {
        wait(&status);
        printf("%d", WEXITSTATUS(status));
    }
    printf("\n");
    /* By bits. */
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct timespec end;
            clock_gettime(CLOCK_MONOTONIC, &end);
            end.tv_sec += 5;
            _exit(futex(word, FUTEX_WAIT_BITSET, 0, &end, NULL, 1 << i) == 0 ? 10 + i : 2);
        }
    }
    usleep(20000);
    CALL(futex(word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2));
    HOLDS(wait(&status) == pids[1]);
    CALL(futex(word, FUTEX_WAKE, 10, NULL, NULL, 0));
    wait(&status);
    show_status("other", status);
    /* A signal. */
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    ualarm(10000, 0);
    CALL(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0));
    ualarm(10000, 0);
    CALL(futex(word, FUTEX_WAIT, 0, &far, NULL, 0));
    /* The kernel clears and wakes when a child with CLONE_CHILD_CLEARTID ends. */
    word[2] = 77;
    pid = syscall(SYS_clone, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD, 0, NULL, word + 2, 0);
    if (pid == 0)
        _exit(word[2] == getpid() ? 0 : 1);
    waitpid(pid, &status, 0);
    show_status("clear tid", status);
    return 0;
}
