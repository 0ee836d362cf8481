/*
 * 64 threads and all that POSIX gives them to work together: mutexes of every type, condition variables, barriers, read-write
 * locks, semaphores, thread-specific data, once, cancellation, and robust and priority-inheriting mutexes, one of them
 * in memory shared with a process that is killed while it holds it. Prints what came out, the same every time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 64
#define ROUNDS 50

static pthread_t threads[THREADS];

static void start(void *(*body)(void *)) {
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, body, (void *)i) != 0)
            exit(90);
}

static long join(void) {
    long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        if (pthread_join(threads[i], &result) != 0)
            exit(91);
        sum += (long)result;
    }
    return sum;
}

/* ── Mutexes ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

static pthread_mutex_t mutex;
static long counter;
static __thread long own;

static void *lock_and_count(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        long seen = counter;
        if (i % 16 == (long)argument % 16)
            sched_yield();
        counter = seen + 1;
        own++;
        pthread_mutex_unlock(&mutex);
    }
    return (void *)own;
}

static void mutexes(void) {
    static const struct {
        const char *name;
        int type, protocol, robust, shared;
    } kinds[] = {
        {"normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE},
        {"recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE},
        {"checking", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED},
        {"inheriting", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE},
        {"robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE},
        {"robust inheriting", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, kinds[i].type);
        pthread_mutexattr_setprotocol(&attributes, kinds[i].protocol);
        pthread_mutexattr_setrobust(&attributes, kinds[i].robust);
        pthread_mutexattr_setpshared(&attributes, kinds[i].shared);
        pthread_mutex_init(&mutex, &attributes);
        counter = 0;
        start(lock_and_count);
        long sum = join();
        printf("%s: %ld %ld\n", kinds[i].name, counter, sum);
        pthread_mutex_destroy(&mutex);
    }
}

/* ── Condition variables: a ring of places, half of the threads fill, half empty ─────────────────────────────────────── */

static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static int ring[4], used, in, out;

static void *fill_or_empty(void *argument) {
    long sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&ring_lock);
        if ((long)argument % 2 == 0) {
            while (used == 4)
                pthread_cond_wait(&not_full, &ring_lock);
            ring[in++ % 4] = (long)argument * ROUNDS + i;
            used++;
            pthread_cond_signal(&not_empty);
        } else {
            while (used == 0)
                pthread_cond_wait(&not_empty, &ring_lock);
            sum += ring[out++ % 4];
            used--;
            pthread_cond_signal(&not_full);
        }
        pthread_mutex_unlock(&ring_lock);
    }
    return (void *)sum;
}

/* ── Barriers ────────────────────────────────────────────────────────────────────────────────────────────────────── */

static pthread_barrier_t barrier;
static int arrived[THREADS], serial;

static void *meet(void *argument) {
    long wrong = 0;
    for (int round = 1; round <= 5; round++) {
        arrived[(long)argument] = round;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
        for (int i = 0; i < THREADS; i++)
            wrong += arrived[i] != round;
        pthread_barrier_wait(&barrier);
    }
    return (void *)wrong;
}

/* ── Thread-specific data, once, semaphores, read-write locks ────────────────────────────────────────────────────────── */

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int prepared, destroyed, guarded[2];
static sem_t places;
static int inside, most;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void prepare(void) {
    prepared++;
}

static void destroy(void *value) {
    __atomic_add_fetch(&destroyed, (int)(long)value, __ATOMIC_SEQ_CST);
}

static void *specific(void *argument) {
    pthread_once(&once, prepare);
    pthread_setspecific(key, (void *)((long)argument + 1));
    long wrong = 0;
    for (int i = 0; i < 10; i++) {
        sem_wait(&places);
        int now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        if (now > 3)
            wrong++;
        sched_yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        sem_post(&places);
        if ((long)argument % 8 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            guarded[0]++;
            sched_yield();
            guarded[1]++;
        } else {
            pthread_rwlock_rdlock(&rwlock);
            wrong += guarded[0] != guarded[1];
        }
        pthread_rwlock_unlock(&rwlock);
    }
    wrong += pthread_getspecific(key) != (void *)((long)argument + 1);
    return (void *)wrong;
}

/* ── Cancellation ────────────────────────────────────────────────────────────────────────────────────────────────── */

static int cleaned;
static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void clean(void *argument) {
    cleaned++;
    pthread_mutex_unlock(argument);
}

static void *wait_to_be_cancelled(void *argument) {
    switch ((long)argument % 4) {
    case 0:
        pthread_mutex_lock(&idle_lock);
        pthread_cleanup_push(clean, &idle_lock);
        for (;;)
            pthread_cond_wait(&never, &idle_lock);
        pthread_cleanup_pop(0);
    case 1:
        for (;;)
            pause();
    case 2:
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
        for (;;)
            ;
    default: {
        struct timespec long_time = {1000, 0};
        for (;;)
            nanosleep(&long_time, NULL);
    }
    }
}

static void cancellation(void) {
    start(wait_to_be_cancelled);
    usleep(2000);
    int cancelled = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_cancel(threads[i]);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    printf("cancelled %d cleaned %d\n", cancelled, cleaned);
}

/* ── Robust mutexes ──────────────────────────────────────────────────────────────────────────────────────────────── */

struct shared {
    pthread_mutex_t locks[4];
    pthread_cond_t changed;
    int stage;
};

static void *die_with_lock(void *argument) {
    pthread_mutex_lock(argument);
    return NULL;
}

static const char *lock_name(int result) {
    return result == 0 ? "0" : result == EOWNERDEAD ? "EOWNERDEAD" : result == ENOTRECOVERABLE ? "ENOTRECOVERABLE" : "?";
}

static void robust(int protocol) {
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    for (int i = 0; i < 4; i++)
        pthread_mutex_init(&shared->locks[i], &attributes);

    /* Of a thread that ends. */
    pthread_create(&threads[0], NULL, die_with_lock, &shared->locks[0]);
    pthread_join(threads[0], NULL);
    printf("thread: %s", lock_name(pthread_mutex_lock(&shared->locks[0])));
    pthread_mutex_consistent(&shared->locks[0]);
    pthread_mutex_unlock(&shared->locks[0]);
    printf(" then %s\n", lock_name(pthread_mutex_lock(&shared->locks[0])));
    pthread_mutex_unlock(&shared->locks[0]);

    /* Of a process that is killed; somebody waits for one of them already. */
    fflush(stdout);
    pid_t holder = fork();
    if (holder == 0) {
        for (int i = 1; i < 4; i++)
            pthread_mutex_lock(&shared->locks[i]);
        __atomic_store_n(&shared->stage, 1, __ATOMIC_SEQ_CST);
        for (;;)
            pause();
    }
    while (__atomic_load_n(&shared->stage, __ATOMIC_SEQ_CST) != 1)
        usleep(500);
    pid_t waiter = fork();
    if (waiter == 0) {
        int result = pthread_mutex_lock(&shared->locks[1]);
        if (result == EOWNERDEAD)
            pthread_mutex_consistent(&shared->locks[1]);
        pthread_mutex_unlock(&shared->locks[1]);
        _exit(result == EOWNERDEAD ? 7 : 8);
    }
    usleep(3000);
    kill(holder, SIGKILL);
    int status;
    waitpid(holder, &status, 0);
    printf("holder killed by %d\n", WTERMSIG(status));
    waitpid(waiter, &status, 0);
    printf("waiter exited %d\n", WEXITSTATUS(status));
    printf("locks: %s", lock_name(pthread_mutex_lock(&shared->locks[1])));
    printf(" %s", lock_name(pthread_mutex_lock(&shared->locks[2])));
    pthread_mutex_unlock(&shared->locks[2]);
    printf(" %s\n", lock_name(pthread_mutex_lock(&shared->locks[2])));
}

int main(void) {
    mutexes();
    start(fill_or_empty);
    printf("ring: %ld\n", join());
    pthread_barrier_init(&barrier, NULL, THREADS);
    start(meet);
    long wrong = join();
    printf("barrier: wrong %ld serial %d\n", wrong, serial);
    pthread_key_create(&key, destroy);
    sem_init(&places, 0, 3);
    start(specific);
    wrong = join();
    printf("specific: wrong %ld prepared %d destroyed %d guarded %d\n", wrong, prepared, destroyed, guarded[0]);
    cancellation();
    robust(PTHREAD_PRIO_NONE);
    robust(PTHREAD_PRIO_INHERIT);
    return 0;
}
