/* shmget, shmat, shmdt, shmctl: keys, contents, attach counts, removal, permissions, errors. */
#include "fault.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#define RW (PROT_READ | PROT_WRITE)

static int id;

static void status(const char *label, int of) {
    struct shmid_ds ds;
    if (shmctl(of, IPC_STAT, &ds) != 0) {
        printf("%s: %s\n", label, errno_name(errno));
        return;
    }
    printf("%s: size %zu mode %o uid %u gid %u attached %lu creator me %d last me %d times %d %d %d\n", label, ds.shm_segsz,
           ds.shm_perm.mode, ds.shm_perm.uid, ds.shm_perm.gid, (unsigned long)ds.shm_nattch, ds.shm_cpid == getpid(),
           ds.shm_lpid == getpid(), ds.shm_atime != 0, ds.shm_dtime != 0, ds.shm_ctime != 0);
}

#define ATTACH(...)                                                                                                    \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        char *attach_at = shmat(__VA_ARGS__);                                                                          \
        printf("shmat(%s): %s\n", #__VA_ARGS__, attach_at == (char *)-1 ? errno_name(errno) : "ok");                   \
        if (attach_at != (char *)-1)                                                                                   \
            shmdt(attach_at);                                                                                          \
    } while (0)

int main(void) {
    catch_faults();
    key_t key = 0x58000000 | (getpid() & 0xffff);
    /* What an earlier run may have left. */
    shmctl(shmget(key, 0, 0), IPC_RMID, NULL);
    CALL(shmget(key, 8192, 0600));
    CALL(shmget(IPC_PRIVATE, 0, 0600));
    CALL(shmget(IPC_PRIVATE, -1, 0600));
    WORKS(id = shmget(key, 10000, IPC_CREAT | 0640));
    HOLDS(shmget(key, 10000, IPC_CREAT | 0640) == id);
    HOLDS(shmget(key, 0, 0) == id);
    HOLDS(shmget(key, 9999, 0) == id);
    CALL(shmget(key, 10001, 0));
    CALL(shmget(key, 8192, IPC_CREAT | IPC_EXCL | 0600));
    status("new", id);
    char *a = shmat(id, NULL, 0);
    HOLDS(a != (char *)-1 && ((unsigned long)a & 4095) == 0);
    printf("zero %d %d\n", a[0], a[9999]);
    FAULT("to the end of the last page", WRITE(a + 3 * PAGE - 1, 1));
    strcpy(a, "hello");
    char *b = shmat(id, NULL, SHM_RDONLY);
    HOLDS(a != b);
    printf("second: %s\n", b);
    FAULT("read-only", WRITE(b, 1));
    status("attached", id);

    /* fork takes the attachments along. */
    CHILD({
        status("child", id);
        strcpy(a, "from the child");
        shmdt(b);
        status("child", id);
    });
    printf("parent: %s\n", b);
    status("parent", id);
    CALL(shmdt(b));
    CALL(shmdt(b));
    CALL(shmdt(a + 1));
    CALL(shmdt(a + PAGE));
    CALL(shmdt(BAD_POINTER));
    FAULT("detached", READ(b));

    /* Places. */
    char *space = anonymous(8, PROT_NONE, MAP_PRIVATE);
    munmap(space, 8 * PAGE);
    HOLDS(shmat(id, space, 0) == space);
    ATTACH(id, space, 0);
    ATTACH(id, space + 1, 0);
    ATTACH(id, space + 4 * PAGE + 5, SHM_RND);
    HOLDS(shmat(id, space + 4 * PAGE + 5, SHM_RND) == space + 4 * PAGE);
    CALL(shmdt(space + 4 * PAGE));
    HOLDS(shmat(id, space + PAGE, SHM_REMAP) == space + PAGE);
    printf("remapped: %s\n", space + PAGE);
    status("remapped", id);
    CALL(shmdt(space + PAGE));
    printf("what is left: %s\n", space);
    CALL(shmdt(space));
    status("detached", id);
    ATTACH(id, NULL, SHM_REMAP);
    ATTACH(id + 1, NULL, 0);
    ATTACH(-1, NULL, 0);
    ATTACH(id, (void *)0x800000000000, 0);
    ATTACH(id, NULL, SHM_EXEC);

    /* Partly unmapped and protected pieces are detached with the rest. */
    char *c = shmat(id, NULL, 0);
    munmap(c + PAGE, PAGE);
    mprotect(c + 2 * PAGE, PAGE, PROT_READ);
    status("in pieces", id);
    CALL(shmdt(c));
    status("whole again", id);
    FAULT("last piece", READ(c + 2 * PAGE));

    /* shmctl. */
    struct shmid_ds ds;
    shmctl(id, IPC_STAT, &ds);
    HOLDS(ds.shm_perm.__key == key);
    ds.shm_perm.mode = 0xffff;
    ds.shm_perm.uid = 1000;
    ds.shm_perm.gid = 100;
    CALL(shmctl(id, IPC_SET, &ds));
    status("set", id);
    CALL(shmctl(id, IPC_STAT, UNMAPPED));
    CALL(shmctl(id, IPC_SET, UNMAPPED));
    CALL(shmctl(id + 1, IPC_STAT, &ds));
    CALL(shmctl(-1, IPC_STAT, &ds));
    CALL(shmctl(id, 99, &ds));
    CALL(shmctl(id, SHM_LOCK, NULL));
    status("locked", id);
    CALL(shmctl(id, SHM_UNLOCK, NULL));
    struct shminfo limits;
    WORKS(shmctl(0, IPC_INFO, (void *)&limits));
    HOLDS(limits.shmmin == 1 && limits.shmmni == 4096);
    struct shm_info info;
    WORKS(shmctl(0, SHM_INFO, (void *)&info));
    HOLDS(info.used_ids >= 1 && info.shm_tot >= 3);

    /* Permissions. */
    ds.shm_perm.uid = ds.shm_perm.gid = 0;
    ds.shm_perm.mode = 0604;
    shmctl(id, IPC_SET, &ds);
    CHILD({
        setgroups(0, NULL);
        setgid(100);
        setuid(1000);
        CALL(shmget(key, 0, 0400) == id);
        CALL(shmget(key, 0, 0600));
        ATTACH(id, NULL, 0);
        ATTACH(id, NULL, SHM_RDONLY);
        ATTACH(id, NULL, SHM_RDONLY | SHM_EXEC);
        CALL(shmctl(id, IPC_STAT, &ds));
        CALL(shmctl(id, IPC_SET, &ds));
        CALL(shmctl(id, IPC_RMID, NULL));
        CALL(shmctl(id, SHM_LOCK, NULL));
    });
    ds.shm_perm.mode = 0600;
    shmctl(id, IPC_SET, &ds);
    CHILD({
        setgroups(0, NULL);
        setgid(100);
        setuid(1000);
        ATTACH(id, NULL, SHM_RDONLY);
        CALL(shmctl(id, IPC_STAT, &ds));
    });
    ds.shm_perm.uid = 1000;
    shmctl(id, IPC_SET, &ds);
    CHILD({
        setuid(1000);
        ATTACH(id, NULL, 0);
        ds.shm_perm.mode = 0666;
        CALL(shmctl(id, IPC_SET, &ds));
        status("its new owner", id);
    });

    /* Removed when the last one lets go; nobody finds it by its key meanwhile. */
    a = shmat(id, NULL, 0);
    CALL(shmctl(id, IPC_RMID, NULL));
    status("removed", id);
    CALL(shmget(key, 0, 0));
    printf("still there: %s\n", a);
    int other;
    WORKS(other = shmget(key, 4096, IPC_CREAT | 0600));
    HOLDS(other != id);
    b = shmat(id, NULL, 0);
    HOLDS(b != (char *)-1);
    CALL(shmctl(id, IPC_RMID, NULL));
    CALL(shmdt(a));
    printf("by the other: %s\n", b);
    CALL(shmdt(b));
    status("gone", id);
    ATTACH(id, NULL, 0);
    CALL(shmctl(id, IPC_RMID, NULL));

    /* The end of a process, and exec, detach. */
    a = shmat(other, NULL, 0);
    CHILD(shmat(other, NULL, 0); status("two more", other));
    status("after exit", other);
    int ends[2];
    pipe(ends);
    pid_t pid = fork();
    if (pid == 0) {
        shmat(other, NULL, 0);
        execl("/bin/true", "true", NULL);
        execl("/bin/busybox", "true", NULL);
        _exit(1);
    }
    int child;
    waitpid(pid, &child, 0);
    show_status("exec", child);
    status("after exec", other);
    CHILD(shmctl(other, IPC_RMID, NULL));
    status("removed by the child", other);
    strcpy(a, "kept");
    printf("%s\n", a);
    return 0;
}
