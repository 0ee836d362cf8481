/* AF_UNIX datagram sockets and names: addresses, queues, truncation, several messages at once, socket options. */
#include "unix.h"
#include <sys/time.h>

static void from_whom(const char *label, int fd, int flags) {
    struct sockaddr_un a;
    socklen_t length = sizeof a;
    memset(buf, 0, sizeof buf);
    memset(&a, 0x41, sizeof a);
    long n = recvfrom(fd, buf, sizeof buf, flags, (void *)&a, &length);
    if (n < 0) {
        printf("%s: %s\n", label, errno_name(errno));
        return;
    }
    printf("%s: %ld '%s' from ", label, n, buf);
    show_address("", &a, length);
}

int main(void) {
    int a, b, c, s[2], value;
    scratch_tmpfs("unix-dgram");

    puts("-- names");
    CALL(a = socket(AF_UNIX, SOCK_DGRAM, 0));
    CALL(b = socket(AF_UNIX, SOCK_RAW, 0));
    printf("type %d\n", option(b, SO_TYPE));
    names("fresh", a);
    readiness("fresh", a);
    CALL(unix_bind(a, "a"));
    names("bound", a);
    CALL(unix_bind(b, "a"));
    CALL(unix_bind(b, "missing/b"));
    CALL(unix_bind(b, "@conformance-b"));
    names("abstract", b);
    CALL(c = socket(AF_UNIX, SOCK_DGRAM, 0));
    CALL(unix_bind(c, "@conformance-b"));
    struct sockaddr_un u;
    memset(&u, 0, sizeof u);
    u.sun_family = AF_UNIX;
    CALL(bind(c, (void *)&u, 1));
    CALL(bind(c, (void *)&u, 200));
    CALL(bind(c, (void *)&u, 111));
    u.sun_family = AF_INET;
    CALL(bind(c, (void *)&u, 10));
    u.sun_family = AF_UNIX;
    CALL(bind(c, BAD_POINTER, 10));
    CALL(bind(c, (void *)&u, 2));
    socklen_t length = sizeof u;
    getsockname(c, (void *)&u, &length);
    printf("autobind length %u, first byte %d\n", length, u.sun_path[0]);
    CALL(bind(c, (void *)&u, 2) == -1 ? -1 : 0);
    close(c);
    memset(u.sun_path, 'p', sizeof u.sun_path);
    c = socket(AF_UNIX, SOCK_DGRAM, 0);
    CALL(bind(c, (void *)&u, 110));
    length = sizeof u;
    CALL(getsockname(c, (void *)&u, &length));
    printf("%u\n", length);
    close(c);

    puts("-- sending");
    CALL(send(a, "x", 1, 0));
    CALL(unix_sendto(b, "to a", 4, 0, "a"));
    from_whom("a", a, 0);
    c = socket(AF_UNIX, SOCK_DGRAM, 0);
    CALL(unix_sendto(c, "anonymous", 9, 0, "@conformance-b"));
    from_whom("b", b, 0);
    CALL(unix_sendto(c, "x", 1, 0, "@nobody"));
    CALL(unix_sendto(c, "x", 1, 0, "missing"));
    CALL(unix_connect(c, "a"));
    names("connected", c);
    CALL(send(c, "", 0, 0));
    from_whom("empty", a, MSG_DONTWAIT);
    CALL(send(c, "long message", 12, 0));
    take("peek", a, 4, MSG_PEEK);
    take("peek real length", a, 4, MSG_PEEK | MSG_TRUNC);
    take("cut", a, 4, 0);
    take("none", a, 4, MSG_DONTWAIT);
    CALL(write(c, "written", 7));
    CALL(ioctl(a, FIONREAD, &value));
    printf("%d\n", value);
    CALL(write(c, "more", 4));
    CALL(ioctl(a, FIONREAD, &value));
    printf("%d\n", value);
    CALL(read(a, buf, 100));
    CALL(read(a, buf, 100));
    CALL(unix_sendto(c, "elsewhere", 9, 0, "@conformance-b"));
    from_whom("b", b, 0);
    static char huge[400000];
    CALL(send(c, huge, sizeof huge, 0));
    CALL(unix_connect(a, "@conformance-b"));
    CALL(send(c, "x", 1, 0));
    CALL(unix_connect(c, "a"));
    memset(&u, 0, sizeof u);
    CALL(connect(a, (void *)&u, sizeof u.sun_family));
    names("disconnected", a);
    CALL(listen(a, 1));
    CALL(accept(a, NULL, NULL));
    CALL(send(c, "x", 1, MSG_OOB));
    CALL(recv(c, buf, 1, MSG_OOB));

    puts("-- queue");
    int sent = 0;
    while (send(c, "q", 1, MSG_DONTWAIT) == 1)
        sent++;
    printf("%d sent, %s\n", sent, errno_name(errno));
    readiness("sender", c);
    readiness("receiver", a);
    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        recv(a, buf, 10, 0);
        _exit(0);
    }
    CALL(send(c, "waited", 6, 0));
    wait(NULL);
    while (recv(a, buf, 10, MSG_DONTWAIT) >= 0)
        ;
    readiness("sender", c);
    CALL(shutdown(a, SHUT_RD));
    CALL(send(c, "x", 1, 0));
    take("shut", a, 10, MSG_DONTWAIT);
    take("shut", a, 10, 0);
    readiness("shut", a);
    CALL(shutdown(c, SHUT_WR));
    CALL(send(c, "x", 1, MSG_NOSIGNAL));
    close(c);
    c = socket(AF_UNIX, SOCK_DGRAM, 0);
    CALL(unix_connect(c, "a"));
    close(a);
    CALL(send(c, "x", 1, 0));
    CALL(send(c, "x", 1, 0));
    CALL(unix_connect(c, "a"));
    CALL(unix_sendto(c, "x", 1, 0, "a"));
    CALL(unlink("a"));

    puts("-- pair");
    CALL(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    CALL(send(s[0], "one", 3, 0));
    CALL(send(s[0], "two", 3, 0));
    take("first", s[1], 100, 0);
    take("second", s[1], 100, 0);
    sent = 0;
    while (sent < 50 && send(s[0], "q", 1, MSG_DONTWAIT) == 1)
        sent++;
    printf("%d sent\n", sent);
    close(s[0]);
    readiness("other closed", s[1]);
    CALL(send(s[1], "x", 1, 0));
    CALL(send(s[1], "x", 1, 0));
    close(s[1]);

    puts("-- several at once");
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    struct mmsghdr m[4];
    struct iovec v[4];
    char texts[4][8] = {"zero", "one", "two", "three"};
    memset(m, 0, sizeof m);
    for (int i = 0; i < 4; i++) {
        v[i] = (struct iovec){texts[i], strlen(texts[i])};
        m[i].msg_hdr.msg_iov = &v[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    CALL(sendmmsg(s[0], m, 4, 0));
    for (int i = 0; i < 4; i++)
        printf("%u ", m[i].msg_len);
    puts("");
    char into[4][8];
    memset(into, 0, sizeof into);
    for (int i = 0; i < 4; i++)
        v[i] = (struct iovec){into[i], 3};
    struct timespec soon = {0, 50000000};
    CALL(recvmmsg(s[1], m, 3, 0, NULL));
    for (int i = 0; i < 3; i++)
        printf("%u %.3s %#x\n", m[i].msg_len, into[i], m[i].msg_hdr.msg_flags);
    CALL(recvmmsg(s[1], m, 4, MSG_WAITFORONE, &soon));
    CALL(recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL));
    CALL(recvmmsg(s[1], m, 0, 0, NULL));
    soon.tv_nsec = 2000000000;
    CALL(recvmmsg(s[1], m, 4, MSG_DONTWAIT, &soon));
    CALL(sendmmsg(s[0], BAD_POINTER, 1, 0));
    int plain = open("/dev/null", O_RDWR);
    CALL(sendmmsg(plain, m, 1, 0));
    struct msghdr h = {0};
    h.msg_iovlen = 2000;
    CALL(sendmsg(s[0], &h, 0));
    h.msg_iovlen = 1;
    h.msg_iov = BAD_POINTER;
    CALL(sendmsg(s[0], &h, 0));
    CALL(sendmsg(s[0], BAD_POINTER, 0));
    CALL(recvmsg(s[0], BAD_POINTER, 0));
    CALL(recvmsg(-1, BAD_POINTER, 0));
    h.msg_iovlen = 0;
    h.msg_name = &u;
    h.msg_namelen = -1;
    CALL(sendmsg(s[0], &h, 0));

    puts("-- options");
    int one = 1;
    int named[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_OOBINLINE, SO_DONTROUTE, SO_DEBUG, SO_PASSCRED};
    for (unsigned i = 0; i < sizeof named / sizeof *named; i++) {
        int before = option(s[0], named[i]);
        int result = setsockopt(s[0], SOL_SOCKET, named[i], &one, sizeof one);
        printf("%d: %d %d %d\n", named[i], before, result, option(s[0], named[i]));
    }
    HOLDS(option(s[0], SO_SNDBUF) > 4608);
    one = 10000;
    CALL(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &one, sizeof one));
    CALL(setsockopt(s[0], SOL_SOCKET, SO_RCVBUF, &one, sizeof one));
    printf("%d %d\n", option(s[0], SO_SNDBUF), option(s[0], SO_RCVBUF));
    one = 1;
    CALL(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &one, sizeof one));
    CALL(setsockopt(s[0], SOL_SOCKET, SO_RCVBUF, &one, sizeof one));
    printf("%d %d\n", option(s[0], SO_SNDBUF), option(s[0], SO_RCVBUF));
    one = 7;
    CALL(setsockopt(s[0], SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one));
    printf("%d %d\n", option(s[0], SO_RCVLOWAT), option(s[0], SO_SNDLOWAT));
    struct linger l = {1, 5};
    CALL(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &l, sizeof l));
    length = sizeof l;
    CALL(getsockopt(s[0], SOL_SOCKET, SO_LINGER, &l, &length));
    printf("%d %d %u\n", l.l_onoff, l.l_linger, length);
    struct timeval tv = {1, 500000};
    CALL(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    tv.tv_sec = tv.tv_usec = 0;
    length = sizeof tv;
    CALL(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &length));
    printf("%ld %ld\n", tv.tv_sec, tv.tv_usec);
    tv.tv_usec = 1000000;
    CALL(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    CALL(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 4));
    CALL(setsockopt(s[0], SOL_SOCKET, SO_TYPE, &one, sizeof one));
    CALL(setsockopt(s[0], SOL_SOCKET, 9999, &one, sizeof one));
    CALL(getsockopt(s[0], SOL_SOCKET, 9999, &one, &length));
    CALL(setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, &one, 2));
    CALL(setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, BAD_POINTER, 4));
    CALL(setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, &one, -1));
    CALL(setsockopt(s[0], 6, 1, &one, sizeof one));
    CALL(getsockopt(s[0], 6, 1, &one, &length));
    length = 2;
    CALL(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &one, &length));
    printf("%u\n", length);
    length = -1;
    CALL(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &one, &length));
    CALL(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &one, NULL));
    CALL(getsockopt(plain, SOL_SOCKET, SO_TYPE, &one, &length));
    CALL(ioctl(s[0], TCGETS, buf));
    leave_tmpfs();
    return 0;
}
