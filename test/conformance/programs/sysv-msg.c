/* System V message queues: order and choice by type, limits, waiting, control, errors. */
#include "check.h"
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct message {
    long type;
    char text[9000];
};

static int id;
static struct message m;

static int put(long type, const char *text, int flags) {
    m.type = type;
    strcpy(m.text, text);
    return msgsnd(id, &m, strlen(text), flags);
}

static void get(const char *label, long type, long size, int flags) {
    memset(&m, 0, sizeof m);
    errno = 0;
    long n = msgrcv(id, &m, size, type, flags);
    if (n < 0)
        printf("%s: %s\n", label, errno_name(errno));
    else
        printf("%s: %ld type %ld '%s'\n", label, n, m.type, m.text);
}

static void status(const char *label) {
    struct msqid_ds ds;
    if (msgctl(id, IPC_STAT, &ds) != 0) {
        printf("%s: %s\n", label, errno_name(errno));
        return;
    }
    printf("%s: %lu messages %lu bytes of %lu mode %o sender %s receiver %s times %d %d %d\n", label, ds.msg_qnum,
           ds.__msg_cbytes, ds.msg_qbytes, ds.msg_perm.mode, ds.msg_lspid == getpid() ? "me" : ds.msg_lspid ? "other" : "none",
           ds.msg_lrpid == getpid() ? "me" : ds.msg_lrpid ? "other" : "none", ds.msg_stime != 0, ds.msg_rtime != 0,
           ds.msg_ctime != 0);
}

static void nothing(int signal) {}

#define LATER(...)                                                                                                     \
    do {                                                                                                               \
        fflush(stdout);                                                                                                \
        if (fork() == 0) {                                                                                             \
            usleep(30000);                                                                                             \
            __VA_ARGS__;                                                                                               \
            _exit(0);                                                                                                  \
        }                                                                                                              \
    } while (0)

int main(void) {
    struct msqid_ds ds;
    struct msginfo info;
    key_t key = 0x5eed0002;
    int old = msgget(key, 0);
    if (old >= 0)
        msgctl(old, IPC_RMID, NULL);
    CALL(msgget(key, 0));
    WORKS(id = msgget(key, IPC_CREAT | 0640));
    HOLDS(msgget(key, 0) == id);
    CALL(msgget(key, IPC_CREAT | IPC_EXCL));
    status("fresh");

    puts("-- order");
    CALL(put(3, "three", 0));
    CALL(put(1, "one", 0));
    CALL(put(2, "two", 0));
    CALL(put(1, "again", 0));
    CALL(put(5, "", 0));
    status("five");
    get("copy", 1, 100, MSG_COPY | IPC_NOWAIT);
    get("copy past the end", 9, 100, MSG_COPY | IPC_NOWAIT);
    get("copy waiting", 0, 100, MSG_COPY);
    get("type 1", 1, 100, 0);
    get("first", 0, 100, 0);
    get("at most 2", -2, 100, 0);
    get("not 2", 2, 100, MSG_EXCEPT);
    get("none such", 7, 100, IPC_NOWAIT);
    get("at most 1", -1, 100, IPC_NOWAIT);
    get("rest", 0, 100, 0);
    get("none", 0, 100, IPC_NOWAIT);
    CALL(put(4, "long message", 0));
    get("too big", 0, 4, 0);
    get("cut", 0, 4, MSG_NOERROR);
    get("gone", 0, 4, IPC_NOWAIT);
    status("empty");

    puts("-- errors");
    CALL(put(0, "x", 0));
    CALL(put(-1, "x", 0));
    m.type = 1;
    CALL(msgsnd(id, &m, 8193, 0));
    CALL(msgsnd(id, &m, -1, 0));
    CALL(msgsnd(id, &m, 8192, 0));
    CALL(msgsnd(id, &m, 8192, 0));
    CALL(msgsnd(id, &m, 1, IPC_NOWAIT));
    CALL(msgsnd(id, &m, 0, IPC_NOWAIT));
    CALL(msgrcv(id, &m, 9000, 0, 0));
    CALL(msgrcv(id, &m, 9000, 0, 0));
    CALL(msgrcv(id, &m, 9000, 0, 0));
    CALL(msgrcv(id, &m, -1, 0, 0));
    CALL(msgsnd(-1, &m, 1, 0));
    CALL(msgrcv(-1, &m, 1, 0, 0));
    CALL(msgsnd(id, BAD_POINTER, 1, 0));
    CALL(msgctl(id, 77, NULL));
    CALL(msgctl(id + 0x8000 * 9, IPC_STAT, &ds));
    CALL(msgctl(id, IPC_STAT, BAD_POINTER));

    puts("-- waiting");
    LATER(put(9, "later", 0));
    get("waited", 9, 100, 0);
    wait(NULL);
    m.type = 1;
    msgsnd(id, &m, 8192, 0);
    msgsnd(id, &m, 8192, 0);
    LATER(msgrcv(id, &m, 9000, 0, 0));
    CALL(put(2, "room", 0));
    wait(NULL);
    get("other", 1, 0, MSG_NOERROR);
    get("room", 0, 100, 0);
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    get("interrupted", 0, 100, 0);

    puts("-- control");
    CALL(msgctl(id, IPC_STAT, &ds));
    ds.msg_qbytes = 10;
    ds.msg_perm.mode = 0622;
    CALL(msgctl(id, IPC_SET, &ds));
    status("small");
    CALL(put(1, "12345678901", IPC_NOWAIT));
    CALL(put(1, "1234567890", IPC_NOWAIT));
    ds.msg_qbytes = 16384;
    CALL(msgctl(id, IPC_SET, &ds));
    status("large");
    CHILD(become(1000, 1000); CALL(put(1, "by other", 0)); get("refused", 0, 100, IPC_NOWAIT); status("refused");
          CALL(msgctl(id, IPC_SET, &ds)); CALL(msgctl(id, IPC_RMID, NULL)); CALL(msgget(key, 0400)); CALL(msgget(key, 0200) >= 0));
    status("by other");
    WORKS(msgctl(0, IPC_INFO, (void *)&info));
    printf("%d %d %d %d %d %d %d %d\n", info.msgpool, info.msgmap, info.msgmax, info.msgmnb, info.msgmni, info.msgssz,
           info.msgtql, info.msgseg);
    WORKS(msgctl(0, MSG_INFO, (void *)&info));
    HOLDS(info.msgpool >= 1 && info.msgmap >= 2);
    LATER(msgctl(id, IPC_RMID, NULL));
    get("removed", 99, 100, 0);
    wait(NULL);
    get("gone", 0, 100, 0);
    status("gone");
    CALL(msgget(key, 0));
    return 0;
}
