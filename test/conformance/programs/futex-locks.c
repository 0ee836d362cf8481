/* Futexes by hand: wake with an operation, locks with priority inheritance, robust lists, private and shared, futex2. */
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>

#define TID 0x3fffffff

static long futex(volatile void *at, int operation, int value, const void *timeout, volatile void *second, int third) {
    return syscall(SYS_futex, at, operation, value, timeout, second, third);
}

static volatile int words[8], stage;
static volatile pid_t tids[4];

static void reach(int wanted) {
    while (stage < wanted)
        usleep(500);
}

/* By name: owner, waiters, died. */
static void show(const char *label, pid_t owner, int word) {
    int tid = word & TID;
    printf("%s: %s%s%s\n", label, tid == 0 ? "free" : tid == owner ? "owner" : "somebody else",
           word & FUTEX_WAITERS ? " waiters" : "", word & FUTEX_OWNER_DIED ? " died" : "");
}

static void *waiter(void *argument) {
    volatile int *word = argument;
    return (void *)futex(word, FUTEX_WAIT_PRIVATE, *word, NULL, NULL, 0);
}

static void *locker(void *argument) {
    tids[1] = gettid();
    stage = 1;
    long result = futex(argument, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    show("locked by the other", gettid(), *(volatile int *)argument);
    stage = 3;
    reach(4);
    return (void *)(result + 10 * futex(argument, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

static void *abandons(void *argument) {
    *(volatile int *)argument = gettid();
    stage = 1;
    reach(2);
    usleep(20000);
    return NULL;
}

struct entry {
    struct robust_list list;
    volatile int word;
};

static struct robust_list_head head;
static struct entry entries[3];

static void *robust(void *argument) {
    head.futex_offset = (long)&((struct entry *)0)->word;
    head.list.next = &entries[0].list;
    for (int i = 0; i < 3; i++) {
        entries[i].word = gettid() | (i == 1 ? FUTEX_WAITERS : 0);
        entries[i].list.next = i == 1 ? &head.list : &entries[i + 1].list;
    }
    head.list_op_pending = &entries[2].list;
    CALL(syscall(SYS_set_robust_list, &head, sizeof head));
    CALL(syscall(SYS_set_robust_list, &head, 23));
    return NULL;
}

struct pair {
    uint64_t value, address;
    uint32_t flags, reserved;
};

int main(void) {
    pthread_t threads[4];
    void *result;
    struct timespec tick = {0, 10000000}, past = {1, 0};

    /* Wakes of the first word; of the second, if its old value compares so. */
    for (int i = 0; i < 2; i++) {
        words[0] = words[1] = 0;
        for (int k = 0; k < 4; k++)
            pthread_create(threads + k, NULL, waiter, (void *)&words[k / 2]);
        usleep(30000);
        printf("woken %ld\n", futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1, (void *)10, &words[1],
                                    FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, i)));
        printf("word %d\n", words[1]);
        futex(&words[0], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0);
        futex(&words[1], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0);
        for (int k = 0; k < 4; k++)
            pthread_join(threads[k], NULL);
    }
    static const int operations[] = {
        FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_LT, 1),   FUTEX_OP(FUTEX_OP_OR, 6, FUTEX_OP_CMP_GT, 1),
        FUTEX_OP(FUTEX_OP_ANDN, 3, FUTEX_OP_CMP_LE, 1),  FUTEX_OP(FUTEX_OP_XOR, -1, FUTEX_OP_CMP_GE, 1),
        FUTEX_OP(FUTEX_OP_ADD, -3, FUTEX_OP_CMP_NE, -1), FUTEX_OP(FUTEX_OP_SET | 8, 5, FUTEX_OP_CMP_NE, 0)};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        printf("%ld ", futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], operations[i]));
        printf("%d\n", words[1]);
    }
    CALL(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(7, 0, 0, 0)));
    CALL(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1], FUTEX_OP(0, 0, 9, 0)));
    CALL(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, (char *)&words[1] + 1, 0));
    CALL(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, UNMAPPED, 0));

    /* A lock. */
    volatile int *lock = &words[2];
    *lock = 0;
    CALL(futex(lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show("taken", gettid(), *lock);
    CALL(futex(lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    CALL(futex(lock, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    pthread_create(threads, NULL, locker, (void *)lock);
    reach(1);
    usleep(20000);
    show("waited for", gettid(), *lock);
    CALL(futex(lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    CALL(futex(lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    reach(3);
    CALL(futex(lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    CALL(futex(lock, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    CALL(futex(lock, FUTEX_LOCK_PI_PRIVATE, 0, &past, NULL, 0));
    CALL(futex(lock, 13 | FUTEX_PRIVATE_FLAG, 0, &past, NULL, 0));
    stage = 4;
    pthread_join(threads[0], &result);
    printf("results %ld\n", (long)result);
    show("freed", 0, *lock);
    CALL(futex(lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    *lock = 0x3ffffff0;
    CALL(futex(lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    *lock = FUTEX_OWNER_DIED;
    CALL(futex(lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show("of a dead one", gettid(), *lock);
    CALL(futex((char *)lock + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    CALL(futex(UNMAPPED, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    CALL(futex(lock, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));

    /* Its owner ends while we wait. */
    stage = 0;
    *lock = 0;
    pthread_create(threads, NULL, abandons, (void *)lock);
    reach(1);
    stage = 2;
    CALL(futex(lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show("inherited", gettid(), *lock);
    CALL(futex(lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    pthread_join(threads[0], NULL);

    /* A robust list, with an entry under way. */
    pthread_create(threads, NULL, robust, NULL);
    pthread_join(threads[0], NULL);
    for (int i = 0; i < 3; i++)
        show("entry", 0, entries[i].word);

    /* Private waiters are not found by others' names. */
    words[3] = 0;
    pthread_create(threads, NULL, waiter, (void *)&words[3]);
    usleep(20000);
    CALL(futex(&words[3], FUTEX_WAKE, 1, NULL, NULL, 0));
    CALL(futex(&words[3], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    pthread_join(threads[0], NULL);

    /* futex_wake, futex_wait, futex_requeue. */
    CALL(syscall(455, &words[3], 1ul, ~0u, 2, NULL, 0));
    CALL(syscall(455, &words[3], 0ul, (unsigned long)~0u, 2, &past, CLOCK_MONOTONIC));
    CALL(syscall(455, &words[3], 0ul, 0ul, 2, &past, CLOCK_MONOTONIC));
    CALL(syscall(455, &words[3], 0ul, 1ul << 40, 2, &past, CLOCK_MONOTONIC));
    CALL(syscall(455, &words[3], 0ul, 1ul, 1, &past, CLOCK_MONOTONIC));
    CALL(syscall(455, &words[3], 0ul, 1ul, 2, &past, CLOCK_BOOTTIME));
    CALL(syscall(454, &words[3], 1ul, 0, 2));
    CALL(syscall(454, &words[3], 0ul, 1, 2));
    CALL(syscall(454, &words[3], 1ul, 1, 3));
    for (int k = 0; k < 3; k++)
        pthread_create(threads + k, NULL, waiter, (void *)&words[3]);
    usleep(30000);
    struct pair pairs[2] = {{0, (uintptr_t)&words[3], 130, 0}, {0, (uintptr_t)&words[4], 130, 0}};
    CALL(syscall(456, pairs, 0, 1, 1));
    CALL(syscall(454, &words[3], (unsigned long)~0u, 0, 130));
    CALL(syscall(454, &words[4], (unsigned long)~0u, 9, 130));
    CALL(syscall(454, &words[3], (unsigned long)~0u, 9, 130));
    pairs[0].value = 1;
    CALL(syscall(456, pairs, 0, 1, 1));
    CALL(syscall(456, pairs, 1, 1, 1));
    CALL(syscall(456, NULL, 0, 1, 1));
    for (int k = 0; k < 3; k++)
        pthread_join(threads[k], NULL);
    return 0;
}
