/* eventfd, eventfd2: counting, semaphores, limits, blocking, readiness, errors. */
#include "check.h"
#include <poll.h>
#include <sys/eventfd.h>

static uint64_t value;
static long get(int fd) { return read(fd, &value, 8); }
static long put(int fd, uint64_t n) { return write(fd, &n, 8); }
static void ready(const char *label, int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM, 0};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", label, n, p.revents);
}

int main(void) {
    puts("-- counter");
    int fd = eventfd(0, EFD_NONBLOCK);
    CALL(fcntl(fd, F_GETFL));
    CALL(fcntl(fd, F_GETFD));
    CALL(get(fd));
    ready("empty", fd);
    CALL(put(fd, 3));
    CALL(put(fd, 4));
    ready("seven", fd);
    CALL(get(fd));
    printf("%lu\n", value);
    CALL(get(fd));
    CALL(put(fd, 0));
    CALL(get(fd));

    puts("-- limits");
    CALL(put(fd, -1));
    CALL(put(fd, -2));
    ready("full", fd);
    CALL(put(fd, 1));
    CALL(put(fd, 0));
    CALL(get(fd));
    HOLDS(value == -2ul);
    CALL(put(fd, -3));
    ready("one below", fd);
    CALL(put(fd, 2));
    CALL(put(fd, 1));
    CALL(get(fd));

    puts("-- sizes");
    char big[16] = {1};
    CALL(read(fd, big, 7));
    CALL(write(fd, big, 7));
    CALL(write(fd, big, 16));
    memset(big, 0x55, sizeof big);
    CALL(read(fd, big, 16));
    HOLDS(big[0] == 1 && big[1] == 0 && big[8] == 0x55);
    CALL(read(fd, big, 0));
    CALL(write(fd, big, 0));
    CALL(put(fd, 1));
    CALL(read(fd, BAD_POINTER, 8));
    CALL(get(fd));
    CALL(write(fd, UNMAPPED, 8));

    puts("-- semaphore");
    int sem = eventfd(2, EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK);
    CALL(fcntl(sem, F_GETFD));
    CALL(get(sem));
    printf("%lu\n", value);
    CALL(put(sem, 5));
    CALL(get(sem));
    printf("%lu\n", value);
    for (int i = 0; i < 4; i++)
        get(sem);
    CALL(get(sem));
    CALL(get(sem));

    puts("-- blocking");
    get(fd);
    CALL(fcntl(fd, F_SETFL, 0));
    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        put(fd, 9);
        _exit(0);
    }
    CALL(get(fd));
    printf("%lu\n", value);
    wait(NULL);
    put(fd, -2);
    if (fork() == 0) {
        usleep(20000);
        get(fd);
        _exit(0);
    }
    CALL(put(fd, 6));
    wait(NULL);
    CALL(get(fd));
    printf("%lu\n", value);

    puts("-- as a file");
    struct stat st;
    CALL(fstat(fd, &st));
    printf("%o %ld %ld\n", st.st_mode, (long)st.st_size, (long)st.st_nlink);
    char link[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int n = readlink(path, link, sizeof link);
    printf("%.*s\n", n, link);
    CALL(lseek(fd, 0, SEEK_SET));
    CALL(lseek(fd, 5, SEEK_CUR));
    CALL(pread(fd, &value, 8, 0));
    CALL(pwrite(fd, &value, 8, 0));
    CALL(ftruncate(fd, 0));
    CALL(fsync(fd));
    CALL(fchdir(fd));
    CALL(fallocate(fd, 0, 0, 1));
    CALL(open(path, O_RDONLY));

    puts("-- errors");
    CALL(eventfd(0, 2));
    CALL(eventfd(0, O_APPEND));
    CALL(syscall(SYS_eventfd, 0xffffffffu));
    CALL(get(5));
    HOLDS(value == 0xffffffff);
    return 0;
}
