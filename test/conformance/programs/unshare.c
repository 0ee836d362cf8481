/* unshare(2): what a process of one thread may part with, semaphore adjustments, threads, namespaces without privilege. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>

static void *in_thread(void *unused) {
    (void)unused;
    CALL(unshare(0));
    CALL(unshare(CLONE_THREAD));
    CALL(unshare(CLONE_SIGHAND));
    CALL(unshare(CLONE_VM));
    CALL(unshare(CLONE_NEWUSER));
    return NULL;
}

int main(void) {
    CALL(unshare(0));
    CALL(unshare(CLONE_FS));
    CALL(unshare(CLONE_FILES));
    CALL(unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM));
    CALL(unshare(CLONE_THREAD));
    CALL(unshare(CLONE_SIGHAND));
    CALL(unshare(CLONE_VM));

    puts("-- unknown flags");
    CALL(unshare(1));
    CALL(unshare(CLONE_VFORK));
    CALL(unshare(CLONE_SETTLS));
    CALL(unshare(CLONE_FILES | CLONE_PARENT));
    CALL(unshare(CLONE_IO));

    puts("-- adjustments");
    int id = semget(IPC_PRIVATE, 1, 0600);
    semctl(id, 0, SETVAL, 5);
    struct sembuf take = {.sem_num = 0, .sem_op = -3, .sem_flg = SEM_UNDO};
    CALL(semop(id, &take, 1));
    CALL(semctl(id, 0, GETVAL));
    CALL(unshare(CLONE_SYSVSEM));
    CALL(semctl(id, 0, GETVAL));
    CALL(semop(id, &take, 1));
    CALL(unshare(CLONE_FS));
    CALL(semctl(id, 0, GETVAL));
    CHILD(CALL(unshare(CLONE_SYSVSEM)); CALL(semctl(id, 0, GETVAL)));
    semctl(id, 0, IPC_RMID);

    puts("-- files and folder stay");
    int fd = open("/dev/null", O_RDWR);
    CALL(unshare(CLONE_FILES | CLONE_FS));
    CALL(write(fd, "x", 1));
    char where[64];
    CALL(chdir("/tmp"));
    HOLDS(strcmp(getcwd(where, sizeof where), "/tmp") == 0);

    puts("-- threads");
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);

    puts("-- memory lent by vfork");
    fflush(stdout);
    int status;
    pid_t child = vfork();
    if (child == 0) {
        int refused = syscall(SYS_unshare, CLONE_VM) == -1 ? errno : 0;
        int parts = syscall(SYS_unshare, CLONE_FS | CLONE_FILES) == 0;
        _exit(refused == EINVAL ? 10 + parts : 1);
    }
    waitpid(child, &status, 0);
    show_status("lent", status);

    puts("-- without privilege");
    CHILD({
        become(1000, 1000);
        CALL(unshare(0));
        CALL(unshare(CLONE_FILES));
        CALL(unshare(CLONE_NEWNS));
        CALL(unshare(CLONE_NEWUTS));
        CALL(unshare(CLONE_NEWIPC));
        CALL(unshare(CLONE_NEWPID));
        CALL(unshare(CLONE_NEWNET));
        CALL(unshare(CLONE_NEWUTS | CLONE_VFORK));
    });
    return 0;
}
