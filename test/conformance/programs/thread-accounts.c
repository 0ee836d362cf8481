/* What each thread has of its own: nice value, policy, name, CPU time and clocks, affinity; robust list; membarrier, vectors of futexes. */
#include "check.h"
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static volatile pid_t other;
static volatile int stage;

static void reach(int wanted) {
    while (stage < wanted)
        usleep(500);
}

static void burn(int milliseconds) {
    struct timespec start, now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < milliseconds);
}

static long of_thread(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void *body(void *argument) {
    char name[16];
    other = gettid();
    prctl(PR_GET_NAME, name);
    printf("inherited %s\n", name);
    prctl(PR_SET_NAME, "worker");
    errno = 0;
    CALL(getpriority(PRIO_PROCESS, 0));
    CALL(setpriority(PRIO_PROCESS, 0, 7));
    CALL(getpriority(PRIO_PROCESS, 0));
    burn(60);
    HOLDS(of_thread() >= 40);
    struct sched_param parameter = {0};
    CALL(sched_setscheduler(0, SCHED_BATCH, &parameter));
    stage = 1;
    reach(2);
    prctl(PR_GET_NAME, name);
    printf("still %s\n", name);
    return NULL;
}

static int words[3];
static void *wake_second(void *argument) {
    usleep(20000);
    words[1] = 1;
    syscall(SYS_futex, &words[1], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return NULL;
}

struct waiter {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static long waitv(struct waiter *waiters, unsigned count, unsigned flags, struct timespec *timeout, int clock) {
    return syscall(449, waiters, count, flags, timeout, clock);
}

int main(void) {
    pthread_t thread;
    char name[16];
    prctl(PR_SET_NAME, "leader");
    pthread_create(&thread, NULL, body, NULL);
    reach(1);
    prctl(PR_GET_NAME, name);
    printf("mine %s\n", name);
    CALL(getpriority(PRIO_PROCESS, 0));
    CALL(getpriority(PRIO_PROCESS, getpid()));
    CALL(getpriority(PRIO_PROCESS, other));
    CALL(getpriority(PRIO_PGRP, 0));
    CALL(sched_getscheduler(0));
    CALL(sched_getscheduler(other));
    clockid_t clock;
    struct timespec time;
    HOLDS(pthread_getcpuclockid(thread, &clock) == 0);
    CALL(clock_gettime(clock, &time));
    HOLDS(time.tv_sec > 0 || time.tv_nsec >= 60000000);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    HOLDS(time.tv_sec > 0 || time.tv_nsec >= 60000000);
    unsigned long affinity = 0;
    HOLDS(syscall(SYS_sched_getaffinity, other, sizeof affinity, &affinity) > 0 && (affinity & 1));
    void *head;
    size_t length;
    CALL(syscall(SYS_get_robust_list, other, &head, &length));
    HOLDS(head != NULL && length == 24);
    stage = 2;
    pthread_join(thread, NULL);
    CALL(getpriority(PRIO_PROCESS, other));
    CALL(syscall(SYS_get_robust_list, other, &head, &length));
    CALL(clock_gettime(clock, &time));

    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0));
    CALL(syscall(SYS_membarrier, 3, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
    CALL(syscall(SYS_membarrier, 512, 0, 0));
    CHILD(CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0)));
    CALL(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0));

    struct waiter waiters[3];
    for (int i = 0; i < 3; i++)
        waiters[i] = (struct waiter){0, (uintptr_t)&words[i], 2 | FUTEX_PRIVATE_FLAG, 0};
    pthread_create(&thread, NULL, wake_second, NULL);
    CALL(waitv(waiters, 3, 0, NULL, 0));
    pthread_join(thread, NULL);
    CALL(waitv(waiters, 3, 0, NULL, 0));
    words[1] = 0;
    clock_gettime(CLOCK_MONOTONIC, &time);
    CALL(waitv(waiters, 3, 0, &time, CLOCK_MONOTONIC));
    CALL(waitv(waiters, 3, 1, NULL, 0));
    CALL(waitv(waiters, 0, 0, NULL, 0));
    CALL(waitv(waiters, 129, 0, NULL, 0));
    CALL(waitv(NULL, 1, 0, NULL, 0));
    CALL(waitv(UNMAPPED, 1, 0, NULL, 0));
    CALL(waitv(waiters, 1, 0, &time, CLOCK_BOOTTIME));
    CALL(waitv(waiters, 1, 0, UNMAPPED, CLOCK_MONOTONIC));
    waiters[0].reserved = 1;
    CALL(waitv(waiters, 1, 0, &time, CLOCK_MONOTONIC));
    waiters[0] = (struct waiter){0, (uintptr_t)&words[0] + 2, 2, 0};
    CALL(waitv(waiters, 1, 0, &time, CLOCK_MONOTONIC));
    waiters[0] = (struct waiter){0, (uintptr_t)&words[0], 1, 0};
    CALL(waitv(waiters, 1, 0, &time, CLOCK_MONOTONIC));
    return 0;
}
