/* FIFOs: how opens wait for each other, O_NONBLOCK, ends of file, SIGPIPE, interruption. */
#include "check.h"
#include <poll.h>

static void nothing(int signal) {}

/* Runs body in a child after a moment. */
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
    char buf[64];
    scratch_tmpfs("fifo");
    signal(SIGPIPE, SIG_IGN);
    CALL(mkfifo("p", 0666));
    CALL(open("p", O_WRONLY | O_NONBLOCK));
    CALL(open("p", O_RDONLY | O_NONBLOCK));
    CALL(read(3, buf, 8));
    CALL(open("p", O_WRONLY | O_NONBLOCK));
    CALL(read(3, buf, 8));
    CALL(write(4, "abc", 3));
    CALL(read(3, buf, 8));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(pread(3, buf, 1, 0));
    CALL(write(4, "left", 4));
    CALL(close(4));
    CALL(read(3, buf, 2));
    CALL(read(3, buf, 8));
    CALL(read(3, buf, 8));
    CALL(open("p", O_WRONLY));
    CALL(close(3));
    CALL(write(4, "x", 1));
    CALL(close(4));

    puts("-- open waits for the other end");
    LATER(int fd = open("p", O_WRONLY); write(fd, "hello", 5));
    CALL(open("p", O_RDONLY));
    CALL(read(3, buf, 8));
    CALL(read(3, buf, 8));
    CALL(close(3));
    wait(NULL);
    LATER(int fd = open("p", O_RDONLY); read(fd, buf, 8); usleep(20000); write(1, buf, 5));
    CALL(open("p", O_WRONLY));
    CALL(write(3, "ping\n", 5));
    wait(NULL);
    CALL(close(3));
    LATER(close(open("p", O_WRONLY)));
    CALL(open("p", O_RDONLY));
    CALL(read(3, buf, 8));
    CALL(close(3));
    wait(NULL);

    puts("-- read and write");
    CALL(open("p", O_RDWR));
    CALL(write(3, "self", 4));
    CALL(read(3, buf, 8));
    CALL(open("p", O_WRONLY | O_NONBLOCK));
    CALL(open("p", O_RDONLY));
    CALL(write(4, "x", 1));
    CALL(read(5, buf, 8));
    struct stat a, b;
    fstat(3, &a), stat("p", &b);
    HOLDS(a.st_ino == b.st_ino && S_ISFIFO(a.st_mode));
    CALL(close(3));
    CALL(close(4));
    CALL(close(5));

    puts("-- data goes with the last end");
    CALL(open("p", O_RDWR));
    CALL(write(3, "lost", 4));
    CALL(close(3));
    CALL(open("p", O_RDONLY | O_NONBLOCK));
    CALL(read(3, buf, 8));
    CALL(close(3));

    puts("-- interrupted");
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    CALL(open("p", O_RDONLY));
    CALL(open("p", O_WRONLY | O_NONBLOCK));
    ualarm(20000, 0);
    CALL(open("p", O_WRONLY));
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    ualarm(10000, 0);
    LATER(close(open("p", O_WRONLY)));
    CALL(open("p", O_RDONLY));
    CALL(close(3));
    wait(NULL);

    puts("-- names");
    CALL(open("p", O_RDONLY | O_NONBLOCK));
    CALL(unlink("p"));
    CALL(open("/proc/self/fd/3", O_WRONLY | O_NONBLOCK));
    CALL(write(4, "still", 5));
    CALL(read(3, buf, 8));
    CALL(mkfifo("p", 0600));
    CALL(open("p", O_WRONLY | O_NONBLOCK));
    CALL(link("p", "q"));
    CALL(open("q", O_RDONLY | O_NONBLOCK));
    CALL(open("p", O_WRONLY | O_NONBLOCK));
    CALL(write(6, "linked", 6));
    CALL(read(5, buf, 8));
    CALL(close(3));
    CALL(close(4));

    puts("-- poll");
    struct pollfd fds[2] = {{5, POLLIN}, {6, POLLOUT}};
    CALL(poll(fds, 2, 0));
    printf("%#x %#x\n", fds[0].revents, fds[1].revents);
    CALL(close(6));
    CALL(poll(fds, 1, 0));
    printf("%#x\n", fds[0].revents);
    CALL(close(5));
    CALL(open("p", O_RDONLY | O_NONBLOCK));
    fds[0].fd = 3;
    CALL(poll(fds, 1, 0));
    printf("%#x\n", fds[0].revents);
    CALL(open("p", O_WRONLY));
    CALL(close(3));
    fds[0].fd = 4, fds[0].events = POLLOUT;
    CALL(poll(fds, 1, 0));
    printf("%#x\n", fds[0].revents);
    close(4);

    puts("-- permissions");
    chmod("p", 0620);
    CHILD(become(1000, 1000); CALL(open("p", O_RDONLY | O_NONBLOCK)); CALL(open("p", O_WRONLY | O_NONBLOCK)));
    CALL(open("p", O_RDONLY | O_NONBLOCK | O_DIRECTORY));
    CALL(truncate("p", 0));
    leave_tmpfs();
    return 0;
}
