/* Descriptors and credentials in messages of AF_UNIX sockets; circles of sockets that only messages hold. */
#include "unix.h"

static char control[2048];

static long pass(int s, const int *fds, int count, const char *data, int length) {
    struct iovec v = {(void *)data, length};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * 4)};
    memset(control, 0, sizeof control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * 4);
    memcpy(CMSG_DATA(c), fds, count * 4);
    return sendmsg(s, &m, 0);
}

static int last[300], got;

/* Receives, shows what came and keeps the descriptors in `last`. */
static void receive(const char *label, int s, int room, int length, int flags) {
    struct iovec v = {buf, length};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room ? control : NULL, .msg_controllen = room};
    memset(buf, 0, sizeof buf);
    memset(control, 0, sizeof control);
    got = 0;
    long n = recvmsg(s, &m, flags | MSG_DONTWAIT);
    if (n < 0) {
        printf("%s: %s\n", label, errno_name(errno));
        return;
    }
    printf("%s: %ld '%s' flags %#x control %zu", label, n, buf, m.msg_flags, m.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        int data = c->cmsg_len - CMSG_LEN(0);
        printf(" [%d %d", c->cmsg_level, c->cmsg_type);
        if (c->cmsg_type == SCM_RIGHTS) {
            printf(" %d descriptors", data / 4);
            memcpy(last, CMSG_DATA(c), data);
            got = data / 4;
        } else if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(c), sizeof u);
            printf(" pid %s uid %d gid %d", u.pid == getpid() ? "own" : u.pid == 0 ? "0" : "other", u.uid, u.gid);
        }
        printf("]");
    }
    puts("");
}

static void drop(void) {
    for (int i = 0; i < got; i++)
        close(last[i]);
}

static long credentials(int s, pid_t pid, uid_t uid, gid_t gid) {
    struct iovec v = {"c", 1};
    struct ucred u = {pid, uid, gid};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof u)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_CREDENTIALS;
    c->cmsg_len = CMSG_LEN(sizeof u);
    memcpy(CMSG_DATA(c), &u, sizeof u);
    return sendmsg(s, &m, 0);
}

static void by_type(int type) {
    int s[2], fd, fds[300];
    printf("-- type %d\n", type);
    socketpair(AF_UNIX, type, 0, s);
    fd = open("file", O_CREAT | O_RDWR, 0644);
    write(fd, "contents", 8);
    lseek(fd, 2, SEEK_SET);
    CALL(pass(s[0], &fd, 1, "d", 1));
    close(fd);
    receive("one", s[1], 256, 10, 0);
    CALL(read(last[0], buf, 100));
    printf("cloexec %d\n", fcntl(last[0], F_GETFD));
    drop();
    fd = open("file", O_RDONLY);
    pass(s[0], &fd, 1, "d", 1);
    receive("cloexec", s[1], 256, 10, MSG_CMSG_CLOEXEC);
    printf("cloexec %d\n", fcntl(last[0], F_GETFD));
    drop();
    pass(s[0], &fd, 1, "d", 1);
    receive("no room", s[1], 0, 10, 0);
    pass(s[0], &fd, 1, "d", 1);
    receive("little room", s[1], 8, 10, 0);
    fds[0] = fds[1] = fds[2] = fd;
    pass(s[0], fds, 3, "ddd", 3);
    receive("room for two", s[1], CMSG_LEN(8), 10, 0);
    drop();
    pass(s[0], fds, 3, "ddd", 3);
    receive("room for two and padding", s[1], CMSG_SPACE(8), 10, 0);
    drop();
    pass(s[0], fds, 2, "peek", 4);
    receive("peek", s[1], 256, 10, MSG_PEEK);
    drop();
    receive("taken", s[1], 256, 10, 0);
    drop();
    pass(s[0], &fd, 1, "plain", 5);
    CALL(recv(s[1], buf, 10, 0));
    send(s[0], "before", 6, 0);
    pass(s[0], &fd, 1, "with", 4);
    send(s[0], "after", 5, 0);
    for (int i = 0; i < 3; i++) {
        receive("between", s[1], 256, 100, 0);
        drop();
    }
    pass(s[0], &fd, 1, "partly", 6);
    receive("first part", s[1], 256, 2, 0);
    drop();
    receive("second part", s[1], 256, 10, 0);
    drop();
    for (int i = 0; i < 300; i++)
        fds[i] = fd;
    CALL(pass(s[0], fds, 253, "many", 4));
    receive("many", s[1], 2000, 10, 0);
    drop();
    CALL(pass(s[0], fds, 254, "many", 4));
    fds[1] = 999;
    CALL(pass(s[0], fds, 2, "bad", 3));
    int path = open("file", O_PATH);
    CALL(pass(s[0], &path, 1, "path", 4));
    receive("path", s[1], 256, 10, 0);
    drop();
    close(path);
    pass(s[0], &fd, 1, "", 0);
    receive("no data", s[1], 256, 10, 0);
    drop();
    struct msghdr m = {.msg_control = control, .msg_controllen = CMSG_SPACE(4)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = 77;
    c->cmsg_len = CMSG_LEN(4);
    CALL(sendmsg(s[0], &m, 0));
    c->cmsg_len = 5;
    CALL(sendmsg(s[0], &m, 0));
    c->cmsg_len = 1000;
    CALL(sendmsg(s[0], &m, 0));
    c->cmsg_len = CMSG_LEN(4);
    c->cmsg_level = 12;
    CALL(sendmsg(s[0], &m, 0));
    while (recv(s[1], buf, 10, MSG_DONTWAIT) >= 0)
        ;

    puts("credentials");
    send(s[0], "old", 3, 0);
    int on = 1;
    setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    receive("sent before", s[1], 256, 10, 0);
    send(s[0], "new", 3, 0);
    receive("sent after", s[1], 256, 10, 0);
    send(s[0], "x", 1, 0);
    receive("no room", s[1], 0, 10, 0);
    send(s[0], "x", 1, 0);
    receive("little room", s[1], 20, 10, 0);
    pass(s[0], &fd, 1, "both", 4);
    receive("both", s[1], 256, 10, 0);
    drop();
    CALL(credentials(s[0], getpid(), 0, 0));
    receive("own", s[1], 256, 10, 0);
    CALL(credentials(s[0], 1, 7, 8));
    receive("root may", s[1], 256, 10, 0);
    CALL(credentials(s[0], 999999, 0, 0));
    CALL(credentials(s[0], getpid(), -1, 0));
    CHILD(become(1000, 1001); CALL(credentials(s[0], getpid(), 1000, 1001)); CALL(credentials(s[0], getpid(), 0, 1001));
          CALL(credentials(s[0], getpid(), 1000, 0)); CALL(credentials(s[0], 1, 1000, 1001)));
    receive("child", s[1], 256, 10, 0);
    CHILD(send(s[0], "kid", 3, 0));
    send(s[0], "own", 3, 0);
    receive("child", s[1], 256, 100, 0);
    receive("own", s[1], 256, 100, 0);
    close(s[0]), close(s[1]), close(fd);
}

/* Number of descriptions that a pipe's reader still has behind it: whether a write raises EPIPE. */
static void show_alive(const char *label, int writer) {
    errno = 0;
    printf("%s: %s\n", label, write(writer, "x", 1) == 1 ? "alive" : errno_name(errno));
}

int main(void) {
    int s[2], t[2], p[2];
    scratch_tmpfs("unix-rights");
    signal(SIGPIPE, SIG_IGN);
    by_type(SOCK_STREAM);
    by_type(SOCK_DGRAM);
    by_type(SOCK_SEQPACKET);

    puts("-- in flight");
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pipe(p);
    pass(s[0], &p[0], 1, "p", 1);
    close(p[0]);
    show_alive("in flight", p[1]);
    close(s[0]);
    show_alive("sender closed", p[1]);
    close(s[1]);
    show_alive("receiver closed", p[1]);
    close(p[1]);

    puts("-- circles");
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pipe(p);
    pass(s[0], &p[0], 1, "p", 1);
    close(p[0]);
    pass(s[0], &s[1], 1, "s", 1);
    close(s[1]);
    show_alive("in itself", p[1]);
    close(s[0]);
    usleep(100000);
    show_alive("unreachable", p[1]);
    close(p[1]);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, t);
    pipe(p);
    pass(s[0], &p[0], 1, "p", 1);
    close(p[0]);
    pass(s[0], &t[1], 1, "t", 1);
    pass(t[0], &s[1], 1, "s", 1);
    close(s[0]), close(t[0]), close(t[1]);
    show_alive("one left", p[1]);
    receive("p", s[1], 256, 10, 0);
    int kept = last[0];
    receive("t", s[1], 256, 10, 0);
    int other = last[0];
    receive("s", other, 256, 10, 0);
    drop();
    pass(other, &kept, 1, "p", 1);
    close(other), close(kept), close(s[1]);
    usleep(100000);
    show_alive("all gone", p[1]);

    puts("-- a chain");
    int top[2];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, top);
    pipe(p);
    pass(top[0], &p[0], 1, "p", 1);
    close(p[0]);
    for (int i = 0; i < 100; i++) {
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        if (pass(s[0], &top[1], 1, "t", 1) < 0) {
            printf("refused %d\n", i);
            break;
        }
        close(top[0]), close(top[1]);
        top[0] = s[0], top[1] = s[1];
    }
    show_alive("chained", p[1]);
    close(top[0]), close(top[1]);
    usleep(100000);
    show_alive("unchained", p[1]);
    leave_tmpfs();
    return 0;
}
