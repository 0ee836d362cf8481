/* What the programs about AF_UNIX sockets share. */
#ifndef UNIX_H
#define UNIX_H
#include "check.h"
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char buf[4096];

/* Length of the address of a path or, if it begins with '@', an abstract name. */
static inline socklen_t unix_address(struct sockaddr_un *a, const char *name) {
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    strcpy(a->sun_path, name);
    if (name[0] != '@')
        return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
    a->sun_path[0] = 0;
    return offsetof(struct sockaddr_un, sun_path) + strlen(name);
}

static inline int unix_bind(int fd, const char *name) {
    struct sockaddr_un a;
    socklen_t length = unix_address(&a, name);
    return bind(fd, (void *)&a, length);
}

static inline int unix_connect(int fd, const char *name) {
    struct sockaddr_un a;
    socklen_t length = unix_address(&a, name);
    return connect(fd, (void *)&a, length);
}

static inline long unix_sendto(int fd, const char *data, long count, int flags, const char *name) {
    struct sockaddr_un a;
    socklen_t length = unix_address(&a, name);
    return sendto(fd, data, count, flags, (void *)&a, length);
}

static inline void show_address(const char *label, const struct sockaddr_un *a, socklen_t length) {
    printf("%s: length %u family %d ", label, length, length >= 2 ? a->sun_family : -1);
    for (socklen_t i = 2; i < length && i < sizeof *a; i++)
        printf(a->sun_path[i - 2] ? "%c" : "<0>", a->sun_path[i - 2]);
    puts("");
}

static inline void names(const char *label, int fd) {
    struct sockaddr_un a;
    socklen_t length = sizeof a;
    memset(&a, 0x41, sizeof a);
    if (getsockname(fd, (void *)&a, &length) == 0)
        show_address(label, &a, length);
    else
        printf("%s: %s\n", label, errno_name(errno));
    length = sizeof a;
    memset(&a, 0x41, sizeof a);
    if (getpeername(fd, (void *)&a, &length) == 0)
        show_address("  peer", &a, length);
    else
        printf("  peer: %s\n", errno_name(errno));
}

static inline void readiness(const char *label, int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", label, n, p.revents);
}

static inline int option(int fd, int name) {
    int value = -77;
    socklen_t length = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, name, &value, &length) != 0)
        return -errno;
    return value;
}

static inline void take(const char *label, int fd, long count, int flags) {
    memset(buf, 0, sizeof buf);
    errno = 0;
    long n = recv(fd, buf, count, flags);
    if (n < 0)
        printf("%s: %s\n", label, errno_name(errno));
    else
        printf("%s: %ld '%s'\n", label, n, buf);
}
#endif
