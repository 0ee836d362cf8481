/* AF_UNIX stream and seqpacket sockets: connections, data, ends, readiness, options. */
#include "unix.h"
#include <sys/uio.h>
#include <sys/time.h>

static void nothing(int signal) {}

static void pairs(int type) {
    int s[2], value;
    printf("-- pair of type %d\n", type);
    CALL(socketpair(AF_UNIX, type, 0, s));
    names("one", s[0]);
    readiness("fresh", s[0]);
    struct stat st;
    fstat(s[0], &st);
    printf("mode %o size %ld\n", st.st_mode, (long)st.st_size);
    CALL(send(s[0], "hello world", 11, 0));
    CALL(ioctl(s[1], FIONREAD, &value));
    printf("%d\n", value);
    HOLDS(ioctl(s[0], TIOCOUTQ, &value) == 0 && value > 0);
    readiness("data", s[1]);
    take("peek", s[1], 5, MSG_PEEK);
    take("part", s[1], 5, 0);
    take("rest", s[1], 100, MSG_DONTWAIT);
    take("none", s[1], 100, MSG_DONTWAIT);
    CALL(write(s[0], "one", 3));
    CALL(write(s[0], "two", 3));
    take("peek all", s[1], 100, MSG_PEEK);
    take("trunc", s[1], 2, MSG_TRUNC);
    take("read", s[1], 100, MSG_DONTWAIT);
    take("read", s[1], 100, MSG_DONTWAIT);
    CALL(ioctl(s[0], TIOCOUTQ, &value));
    printf("%d\n", value);
    CALL(send(s[0], "", 0, 0));
    CALL(write(s[0], "", 0));
    readiness("empty", s[1]);
    take("empty", s[1], 10, MSG_DONTWAIT);
    take("empty", s[1], 10, MSG_DONTWAIT);
    struct iovec out[2] = {{"ab", 2}, {"cdef", 4}}, in[2] = {{buf, 3}, {buf + 10, 10}};
    CALL(writev(s[0], out, 2));
    memset(buf, 0, sizeof buf);
    CALL(readv(s[1], in, 2));
    printf("%s %s\n", buf, buf + 10);
    CALL(lseek(s[0], 0, SEEK_SET));
    CALL(pread(s[0], buf, 1, 0));
    CALL(ftruncate(s[0], 1));
    CALL(fsync(s[0]));
    CALL(send(s[0], BAD_POINTER, 4, 0));
    CALL(send(s[0], "x", 1, MSG_OOB) == 1 || errno == EOPNOTSUPP);
    take("drop", s[1], 10, MSG_DONTWAIT);
    CALL(recv(s[1], BAD_POINTER, 4, MSG_DONTWAIT));
    CALL(send(s[0], "kept", 4, 0));
    CALL(recv(s[1], BAD_POINTER, 4, MSG_DONTWAIT));
    take("after fault", s[1], 10, MSG_DONTWAIT);

    puts("shutdown");
    CALL(send(s[0], "before", 6, 0));
    CALL(shutdown(s[0], SHUT_WR));
    CALL(send(s[0], "x", 1, MSG_NOSIGNAL));
    readiness("writer", s[0]);
    readiness("reader", s[1]);
    take("data", s[1], 10, 0);
    take("end", s[1], 10, 0);
    readiness("reader", s[1]);
    CALL(send(s[1], "back", 4, 0));
    take("back", s[0], 10, 0);
    CALL(shutdown(s[1], SHUT_WR));
    readiness("both", s[0]);
    CALL(shutdown(s[1], 7));
    close(s[0]), close(s[1]);

    puts("shutdown reading");
    socketpair(AF_UNIX, type, 0, s);
    CALL(shutdown(s[0], SHUT_RD));
    CALL(send(s[1], "x", 1, MSG_NOSIGNAL));
    readiness("reader", s[0]);
    readiness("writer", s[1]);
    take("end", s[0], 10, 0);
    close(s[0]), close(s[1]);

    puts("close");
    socketpair(AF_UNIX, type, 0, s);
    CALL(send(s[0], "last", 4, 0));
    close(s[0]);
    readiness("left", s[1]);
    take("last", s[1], 10, 0);
    take("end", s[1], 10, 0);
    CALL(send(s[1], "x", 1, MSG_NOSIGNAL));
    names("left", s[1]);
    close(s[1]);
    socketpair(AF_UNIX, type, 0, s);
    send(s[0], "unread", 6, 0);
    close(s[1]);
    readiness("reset", s[0]);
    take("reset", s[0], 10, 0);
    take("then", s[0], 10, 0);
    close(s[0]);
    socketpair(AF_UNIX, type, 0, s);
    close(s[1]);
    CHILD(write(s[0], "x", 1));
    CHILD(send(s[0], "x", 1, 0));
    CHILD(signal(SIGPIPE, SIG_IGN); CALL(write(s[0], "x", 1)));
    close(s[0]);

    puts("full");
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s);
    long count = 0;
    while (send(s[0], buf, 1000, 0) == 1000)
        count++;
    printf("%s\n", errno_name(errno));
    HOLDS(count > 50 && count < 1000);
    readiness("full", s[0]);
    long total = 0, n;
    while ((n = recv(s[1], buf, 1000, 0)) > 0)
        total += n;
    HOLDS(total == count * 1000);
    readiness("drained", s[0]);
    close(s[0]), close(s[1]);
}

int main(void) {
    int s[2], fd, a, b, value;
    scratch_tmpfs("unix-stream");
    pairs(SOCK_STREAM);
    pairs(SOCK_SEQPACKET);

    puts("-- waiting");
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    fflush(stdout);
    if (fork() == 0) {
        for (int i = 0; i < 5; i++) {
            usleep(10000);
            send(s[1], "12345", 5, 0);
        }
        _exit(0);
    }
    take("all", s[0], 20, MSG_WAITALL);
    take("rest", s[0], 20, 0);
    wait(NULL);
    struct timeval tv = {0, 30000};
    CALL(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    take("timeout", s[0], 10, 0);
    CALL(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    while (send(s[0], buf, 4000, 0) == 4000)
        ;
    printf("%s\n", errno_name(errno));
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 0}, {0, 30000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    while (recv(s[1], buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
    take("interrupted", s[1], 10, 0);
    close(s[0]), close(s[1]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    fflush(stdout);
    if (fork() == 0) {
        close(s[0]);
        long sum = 0, n;
        usleep(20000);
        while ((n = read(s[1], buf, sizeof buf)) > 0)
            sum += n;
        printf("read %ld\n", sum);
        fflush(stdout);
        _exit(0);
    }
    close(s[1]);
    static char big[1 << 20];
    CALL(write(s[0], big, sizeof big));
    close(s[0]);
    wait(NULL);

    puts("-- connections");
    CALL(fd = socket(AF_UNIX, SOCK_STREAM, 0));
    readiness("unconnected", fd);
    CALL(listen(fd, 1));
    CALL(accept(fd, NULL, NULL));
    CALL(send(fd, "x", 1, 0));
    CALL(recv(fd, buf, 1, 0));
    CALL(unix_connect(fd, "missing"));
    CALL(unix_bind(fd, "server"));
    CALL(unix_bind(fd, "other"));
    names("bound", fd);
    CALL(a = socket(AF_UNIX, SOCK_STREAM, 0));
    CALL(unix_connect(a, "server"));
    CALL(unix_bind(a, "server"));
    CALL(listen(fd, 1));
    printf("accepting %d type %d error %d domain %d protocol %d\n", option(fd, SO_ACCEPTCONN), option(fd, SO_TYPE),
           option(fd, SO_ERROR), option(fd, SO_DOMAIN), option(fd, SO_PROTOCOL));
    readiness("listening", fd);
    CALL(unix_connect(a, "server"));
    CALL(unix_connect(a, "server"));
    readiness("listening", fd);
    names("client", a);
    CALL(send(a, "early", 5, 0));
    CALL(ioctl(fd, FIONREAD, &value));
    struct sockaddr_un from;
    socklen_t length = sizeof from;
    CALL(b = accept4(fd, (void *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    show_address("accepted", &from, length);
    names("accepted", b);
    printf("flags %o %d\n", fcntl(b, F_GETFL), fcntl(b, F_GETFD));
    take("early", b, 10, 0);
    take("none", b, 10, 0);
    CALL(send(b, "answer", 6, 0));
    take("answer", a, 10, 0);
    CALL(listen(a, 1));
    CALL(unix_connect(fd, "server"));
    struct ucred cred;
    length = sizeof cred;
    CALL(getsockopt(a, SOL_SOCKET, SO_PEERCRED, &cred, &length));
    printf("%d %d %d\n", cred.pid == getpid(), cred.uid, cred.gid);
    CALL(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length));
    printf("%d %d %d\n", cred.pid == getpid(), cred.uid, cred.gid);
    int none = socket(AF_UNIX, SOCK_STREAM, 0);
    CALL(getsockopt(none, SOL_SOCKET, SO_PEERCRED, &cred, &length));
    printf("%d %d %d\n", cred.pid, cred.uid, cred.gid);
    close(none);
    close(a), close(b);

    puts("backlog");
    int c[4];
    for (int i = 0; i < 4; i++) {
        c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        printf("%d: %d %s\n", i, unix_connect(c[i], "server"), errno_name(errno));
        errno = 0;
    }
    CALL(b = accept(fd, NULL, NULL));
    CALL(unix_connect(c[2], "server"));
    close(b);
    readiness("c0", c[0]);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    close(fd);
    readiness("c1", c[1]);
    take("c1", c[1], 10, 0);
    CALL(unix_connect(c[3], "server"));
    CALL(fd = socket(AF_UNIX, SOCK_STREAM, 0));
    CALL(unix_bind(fd, "server"));
    unlink("server");
    CALL(unix_bind(fd, "server"));
    CALL(accept(fd, NULL, NULL));
    CALL(listen(fd, 5));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    CALL(accept(fd, NULL, NULL));
    CALL(accept4(fd, NULL, NULL, 0x40));
    chmod("server", 0600);
    CHILD(become(1000, 1000); a = socket(AF_UNIX, SOCK_STREAM, 0); CALL(unix_connect(a, "server")));
    CHILD(a = socket(AF_UNIX, SOCK_SEQPACKET, 0); CALL(unix_connect(a, "server")); CALL(unix_connect(a, "none")));
    CHILD(a = socket(AF_UNIX, SOCK_STREAM, 0); unix_connect(a, "server"); usleep(200000));
    CALL(open("server", O_RDWR));
    WORKS(a = open("server", O_PATH));
    close(a);
    CALL(close(open("file", O_CREAT | O_RDWR, 0644)));
    CALL(a = socket(AF_UNIX, SOCK_STREAM, 0));
    CALL(unix_connect(a, "file"));
    rename("server", "moved");
    CALL(unix_connect(a, "moved"));
    names("moved", a);
    struct stat st;
    lstat("moved", &st);
    printf("%o\n", st.st_mode);
    CALL(shutdown(fd, SHUT_RD));
    readiness("shut listener", fd);

    puts("-- errors");
    CALL(socket(AF_UNIX, 77, 0));
    CALL(socket(AF_UNIX, SOCK_RDM, 0));
    CALL(socket(AF_UNIX, SOCK_STREAM, 7));
    CALL(socket(-1, SOCK_STREAM, 0));
    CALL(socket(99, SOCK_STREAM, 0));
    CALL(socket(AF_UNIX, SOCK_STREAM | 0x100000, 0));
    CALL(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD_POINTER));
    CALL(close(socket(AF_UNIX, SOCK_STREAM, PF_UNIX)));
    int plain = open("/dev/null", O_RDWR);
    CALL(listen(plain, 1));
    CALL(listen(-1, 1));
    CALL(bind(99, NULL, 0));
    CALL(connect(a, NULL, 0));
    CALL(getsockname(a, (void *)&from, NULL));
    length = -1;
    CALL(getsockname(a, (void *)&from, &length));
    length = 4;
    CALL(getsockname(a, (void *)&from, &length));
    printf("%u\n", length);
    CALL(send(plain, "x", 1, 0));
    CALL(recv(-1, buf, 1, 0));
    CALL(sendto(a, "x", 1, 0, (void *)&from, 2000));
    CALL(sendto(a, "x", 1, 0, (void *)&from, 3));
    leave_tmpfs();
    return 0;
}
