/* System V semaphores: sets, operations that happen together, waiting, SEM_UNDO, control, errors. */
#include "check.h"
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static int id;
static struct sembuf ops[600];

static int op(int count, ...) {
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++) {
        ops[i].sem_num = va_arg(list, int);
        ops[i].sem_op = va_arg(list, int);
        ops[i].sem_flg = va_arg(list, int);
    }
    va_end(list);
    return semop(id, ops, count);
}

static void values(const char *label) {
    unsigned short array[3] = {99, 99, 99};
    if (semctl(id, 0, GETALL, (union semun){.array = array}) == 0)
        printf("%s: %d %d %d\n", label, array[0], array[1], array[2]);
    else
        printf("%s: %s\n", label, errno_name(errno));
}

static void nothing(int signal) {}

static void later(int num, int change) {
    fflush(stdout);
    if (fork() == 0) {
        usleep(30000);
        op(1, num, change, 0);
        _exit(0);
    }
}

int main(void) {
    struct semid_ds ds;
    struct seminfo info;
    key_t key = 0x5eed0001;
    int old = semget(key, 0, 0);
    if (old >= 0)
        semctl(old, 0, IPC_RMID);
    CALL(semget(key, 3, 0600));
    CALL(semget(IPC_PRIVATE, 0, 0600));
    CALL(semget(IPC_PRIVATE, -1, 0600));
    CALL(semget(IPC_PRIVATE, 32001, 0600));
    WORKS(id = semget(key, 3, IPC_CREAT | 0640));
    HOLDS(semget(key, 2, 0) == id);
    CALL(semget(key, 4, 0));
    CALL(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
    CALL(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
    printf("%lu %o %d %d %d %d %d\n", ds.sem_nsems, ds.sem_perm.mode, ds.sem_perm.uid, ds.sem_perm.gid,
           ds.sem_otime != 0, ds.sem_ctime != 0, ds.sem_perm.__key == key);
    values("fresh");

    puts("-- operations");
    CALL(op(1, 0, 5, 0));
    CALL(op(2, 0, -2, 0, 1, 1, 0));
    values("after");
    CALL(op(2, 0, -3, IPC_NOWAIT, 1, -2, IPC_NOWAIT));
    values("all or none");
    CALL(op(1, 0, 0, IPC_NOWAIT));
    CALL(op(1, 2, 0, IPC_NOWAIT));
    CALL(op(3, 2, 1, 0, 2, -1, 0, 2, 0, 0));
    CALL(op(1, 2, -1, IPC_NOWAIT));
    CALL(op(1, 3, 1, 0));
    CALL(op(1, 0, 32767, 0));
    CALL(semop(id, ops, 0));
    CALL(semop(id, ops, 501));
    CALL(semop(-1, ops, 1));
    CALL(semop(id + 0x8000 * 7, ops, 1));
    CALL(semop(id, BAD_POINTER, 1));
    CALL(semctl(id, 0, GETPID) == getpid());
    CALL(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
    HOLDS(ds.sem_otime != 0);

    puts("-- control");
    CALL(semctl(id, 1, SETVAL, (union semun){.val = 7}));
    CALL(semctl(id, 1, GETVAL));
    CALL(semctl(id, 1, SETVAL, (union semun){.val = 32768}));
    CALL(semctl(id, 1, SETVAL, (union semun){.val = -1}));
    CALL(semctl(id, 3, GETVAL));
    CALL(semctl(id, -1, GETVAL));
    unsigned short set[3] = {1, 2, 3};
    CALL(semctl(id, 0, SETALL, (union semun){.array = set}));
    values("set");
    set[2] = 40000;
    CALL(semctl(id, 0, SETALL, (union semun){.array = set}));
    CALL(semctl(id, 0, SETALL, (union semun){.array = BAD_POINTER}));
    CALL(semctl(id, 0, 77, 0));
    CALL(semctl(-1, 0, GETVAL));
    WORKS(semctl(0, 0, IPC_INFO, (union semun){.info = &info}));
    printf("%d %d %d %d %d %d %d %d %d %d\n", info.semmap, info.semmni, info.semmns, info.semmnu, info.semmsl, info.semopm,
           info.semume, info.semusz, info.semvmx, info.semaem);
    WORKS(semctl(0, 0, SEM_INFO, (union semun){.info = &info}));
    HOLDS(info.semusz >= 1 && info.semaem >= 3);
    ds.sem_perm.mode = 0606;
    CALL(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
    semctl(id, 0, IPC_STAT, (union semun){.buf = &ds});
    printf("%o\n", ds.sem_perm.mode);
    CHILD(become(1000, 1000); values("other"); CALL(op(1, 0, 1, 0)); CALL(semctl(id, 0, IPC_RMID));
          CALL(semctl(id, 0, IPC_SET, (union semun){.buf = &ds})));
    ds.sem_perm.mode = 0600;
    semctl(id, 0, IPC_SET, (union semun){.buf = &ds});
    CHILD(become(1000, 1000); values("refused"); CALL(op(1, 0, 1, 0)); WORKS(semget(key, 0, 0)); CALL(semget(key, 0, 0400)));

    puts("-- waiting");
    semctl(id, 0, SETVAL, (union semun){.val = 0});
    later(0, 2);
    CALL(op(1, 0, -2, 0));
    wait(NULL);
    semctl(id, 1, SETVAL, (union semun){.val = 1});
    later(1, -1);
    CALL(op(2, 1, 0, 0, 1, 3, 0));
    values("zero");
    wait(NULL);
    struct timespec soon = {0, 20000000};
    ops[0] = (struct sembuf){0, -1, 0};
    CALL(semtimedop(id, ops, 1, &soon));
    soon.tv_nsec = 1000000000;
    CALL(semtimedop(id, ops, 1, &soon));
    CALL(semtimedop(id, ops, 1, BAD_POINTER));
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    CALL(op(1, 0, -1, 0));
    fflush(stdout);
    pid_t waiter = fork();
    if (waiter == 0) {
        op(1, 0, -1, 0);
        _exit(0);
    }
    pid_t zero = fork();
    if (zero == 0) {
        op(1, 1, 0, 0);
        _exit(0);
    }
    usleep(100000);
    printf("%d %d %d\n", semctl(id, 0, GETNCNT), semctl(id, 0, GETZCNT), semctl(id, 1, GETZCNT));
    kill(waiter, SIGKILL);
    waitpid(waiter, NULL, 0);
    printf("%d\n", semctl(id, 0, GETNCNT));
    semctl(id, 1, SETVAL, (union semun){.val = 0});
    waitpid(zero, NULL, 0);

    puts("-- undo");
    semctl(id, 0, SETVAL, (union semun){.val = 5});
    CHILD(op(2, 0, -3, SEM_UNDO, 1, 4, SEM_UNDO); values("inside"));
    values("undone");
    CHILD(op(1, 0, 3, SEM_UNDO); op(1, 0, -8, 0));
    values("not below zero");
    semctl(id, 0, SETVAL, (union semun){.val = 5});
    CHILD(op(1, 0, -3, SEM_UNDO); semctl(id, 0, SETVAL, (union semun){.val = 9}));
    values("set outright");
    CHILD(op(1, 0, -2, SEM_UNDO); CHILD(op(1, 0, 0, IPC_NOWAIT)); values("child has none"));
    values("after");
    fflush(stdout);
    pid_t killed = fork();
    if (killed == 0) {
        op(1, 0, -9, SEM_UNDO);
        pause();
    }
    usleep(50000);
    values("taken");
    kill(killed, SIGKILL);
    CALL(op(1, 0, -9, 0));
    waitpid(killed, NULL, 0);

    puts("-- removal");
    fflush(stdout);
    if (fork() == 0) {
        usleep(30000);
        semctl(id, 0, IPC_RMID);
        _exit(0);
    }
    CALL(op(1, 0, -1, 0));
    wait(NULL);
    CALL(op(1, 0, -1, 0));
    CALL(semctl(id, 0, GETVAL));
    CALL(semget(key, 0, 0));
    return 0;
}
