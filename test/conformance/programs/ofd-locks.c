/* Open file description locks: owned by the description, shared by dup and fork, released with the last descriptor. */
#include "check.h"

static int set(int fd, int command, short type, off_t start, off_t len) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, command, &l);
}

static void test(int fd, int command, short type, off_t start, off_t len) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    if (fcntl(fd, command, &l) != 0)
        printf("getlk: %s\n", errno_name(errno));
    else
        printf("getlk: type %d %ld+%ld pid %d\n", l.l_type, (long)l.l_start, (long)l.l_len, l.l_pid == getpid() ? 1 : l.l_pid);
}

static void handler(int signal) {}

int main(void) {
    scratch_tmpfs("ofd-locks");
    CALL(open("f", O_CREAT | O_RDWR, 0600));
    CALL(open("f", O_RDWR));
    CALL(set(3, F_OFD_SETLK, F_WRLCK, 0, 10));
    CALL(set(4, F_OFD_SETLK, F_WRLCK, 5, 1));
    CALL(set(4, F_OFD_SETLK, F_RDLCK, 10, 1));
    test(4, F_OFD_GETLK, F_RDLCK, 0, 0);
    test(3, F_OFD_GETLK, F_RDLCK, 0, 10);
    test(4, F_GETLK, F_RDLCK, 0, 5);
    CALL(set(4, F_SETLK, F_RDLCK, 0, 5));
    CALL(dup(3));
    CALL(set(5, F_OFD_SETLK, F_RDLCK, 0, 10));
    CALL(set(4, F_OFD_SETLK, F_RDLCK, 0, 1));
    CALL(set(4, F_OFD_SETLK, F_UNLCK, 0, 1));
    CALL(close(3));
    CALL(set(4, F_OFD_SETLK, F_WRLCK, 0, 1));
    CALL(close(5));
    CALL(set(4, F_OFD_SETLK, F_WRLCK, 0, 1));

    puts("-- fork");
    CHILD(CALL(set(4, F_OFD_SETLK, F_WRLCK, 0, 20)); CALL(set(open("f", O_RDWR), F_OFD_SETLK, F_WRLCK, 0, 20)));
    int other = open("f", O_RDWR);
    CALL(set(other, F_OFD_SETLK, F_WRLCK, 15, 1));
    CHILD(CALL(close(4)));
    CALL(set(other, F_OFD_SETLK, F_WRLCK, 15, 1));
    CALL(close(open("f", O_RDWR)));
    CALL(set(other, F_OFD_SETLK, F_WRLCK, 15, 1));

    puts("-- against process locks");
    CALL(set(4, F_OFD_SETLK, F_UNLCK, 0, 0));
    CALL(set(4, F_SETLK, F_WRLCK, 0, 5));
    CALL(set(4, F_OFD_SETLK, F_WRLCK, 0, 5));
    CALL(set(4, F_SETLK, F_UNLCK, 0, 5));

    puts("-- waiting");
    CALL(set(4, F_OFD_SETLK, F_WRLCK, 0, 1));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(4);
        int result = set(other, F_OFD_SETLKW, F_WRLCK, 0, 1);
        printf("child got it: %d\n", result);
        fflush(stdout);
        _exit(0);
    }
    usleep(30000);
    CALL(set(4, F_OFD_SETLK, F_UNLCK, 0, 1));
    waitpid(child, NULL, 0);
    CALL(set(4, F_OFD_SETLK, F_WRLCK, 0, 1));
    CALL(set(other, F_OFD_SETLK, F_UNLCK, 0, 0));
    CALL(set(4, F_OFD_SETLK, F_WRLCK, 0, 1));
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    CALL(set(other, F_OFD_SETLKW, F_WRLCK, 0, 1));

    puts("-- errors");
    struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_pid = 1};
    CALL(fcntl(4, F_OFD_SETLK, &l));
    CALL(fcntl(4, F_OFD_GETLK, &l));
    CALL(fcntl(4, F_OFD_SETLKW, &l));
    CALL(fcntl(4, F_OFD_SETLK, UNMAPPED));
    CALL(fcntl(99, F_OFD_SETLK, &l));
    CALL(set(open("f", O_RDONLY), F_OFD_SETLK, F_WRLCK, 0, 1));
    for (int i = 3; i < 10; i++)
        close(i);
    leave_tmpfs();
    return 0;
}
