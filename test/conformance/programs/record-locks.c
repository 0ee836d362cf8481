/* fcntl record locks: conflicts between processes, F_GETLK, splitting, waiting, deadlock, release on close and exit. */
#include "check.h"

static int fd;

static void handler(int signal) {}

static struct flock lock(short type, short whence, off_t start, off_t len) {
    return (struct flock){.l_type = type, .l_whence = whence, .l_start = start, .l_len = len};
}

static int set(int command, short type, off_t start, off_t len) {
    struct flock l = lock(type, SEEK_SET, start, len);
    return fcntl(fd, command, &l);
}

static void test(short type, off_t start, off_t len) {
    struct flock l = lock(type, SEEK_SET, start, len);
    l.l_pid = 12;
    if (fcntl(fd, F_GETLK, &l) != 0)
        printf("getlk: %s\n", errno_name(errno));
    else if (l.l_type == F_UNLCK)
        printf("getlk %ld+%ld: free (pid kept %d, start %ld)\n", (long)start, (long)len, l.l_pid == 12, (long)l.l_start);
    else
        printf("getlk %ld+%ld: %s %ld+%ld whence %d by parent %d\n", (long)start, (long)len,
               l.l_type == F_RDLCK ? "read" : "write", (long)l.l_start, (long)l.l_len, l.l_whence, l.l_pid == getppid());
}

int main(void) {
    scratch_tmpfs("record-locks");
    fd = open("f", O_CREAT | O_RDWR, 0600);
    write(fd, "0123456789", 10);
    CALL(set(F_SETLK, F_WRLCK, 2, 4));
    test(F_WRLCK, 0, 0);
    CHILD(CALL(set(F_SETLK, F_WRLCK, 0, 3)); CALL(set(F_SETLK, F_WRLCK, 0, 2)); CALL(set(F_SETLK, F_RDLCK, 5, 1)); CALL(set(F_SETLK, F_WRLCK, 6, 0));
          test(F_WRLCK, 0, 0); test(F_RDLCK, 3, 1); test(F_WRLCK, 6, 10); test(F_RDLCK, 0, 2));
    CALL(set(F_SETLK, F_RDLCK, 3, 1));
    CHILD(test(F_WRLCK, 2, 1); test(F_WRLCK, 3, 1); test(F_RDLCK, 3, 1); test(F_WRLCK, 4, 1); CALL(set(F_SETLK, F_RDLCK, 3, 1)));
    CALL(set(F_SETLK, F_UNLCK, 4, 1));
    CHILD(test(F_WRLCK, 4, 1); test(F_WRLCK, 5, 1); test(F_WRLCK, 4, 0));
    CALL(set(F_SETLK, F_UNLCK, 0, 0));
    CHILD(test(F_WRLCK, 0, 0));

    puts("-- ranges");
    struct flock l = lock(F_WRLCK, SEEK_END, -4, 2);
    CALL(fcntl(fd, F_SETLK, &l));
    CHILD(test(F_WRLCK, 0, 0));
    l = lock(F_WRLCK, SEEK_CUR, -5, -2);
    CALL(fcntl(fd, F_SETLK, &l));
    CHILD(test(F_WRLCK, 0, 0));
    l = lock(F_WRLCK, SEEK_SET, -1, 2);
    CALL(fcntl(fd, F_SETLK, &l));
    l = lock(F_WRLCK, SEEK_SET, 2, -3);
    CALL(fcntl(fd, F_SETLK, &l));
    l = lock(F_WRLCK, 9, 0, 1);
    CALL(fcntl(fd, F_SETLK, &l));
    l = lock(9, SEEK_SET, 0, 1);
    CALL(fcntl(fd, F_SETLK, &l));
    CALL(fcntl(fd, F_GETLK, &l));
    l = lock(F_UNLCK, SEEK_SET, 0, 1);
    CALL(fcntl(fd, F_GETLK, &l));
    CALL(set(F_SETLK, F_WRLCK, 1000000, 0));
    CHILD(test(F_WRLCK, 2000000, 1));
    CALL(set(F_SETLK, F_UNLCK, 0, 0));
    CALL(set(F_SETLK, F_WRLCK, 0, 5));
    CALL(set(F_SETLK, F_WRLCK, 5, 5));
    CHILD(test(F_WRLCK, 0, 1));
    CALL(set(F_SETLK, F_UNLCK, 0, 0));

    puts("-- access");
    int ro = open("f", O_RDONLY), wo = open("f", O_WRONLY);
    l = lock(F_WRLCK, SEEK_SET, 0, 1);
    CALL(fcntl(ro, F_SETLK, &l));
    l.l_type = F_RDLCK;
    CALL(fcntl(wo, F_SETLK, &l));
    CALL(fcntl(ro, F_SETLK, &l));
    CALL(fcntl(ro, F_GETLK, &l));
    int p[2];
    pipe(p);
    l = lock(F_RDLCK, SEEK_SET, 0, 0);
    CALL(fcntl(p[0], F_SETLK, &l));

    puts("-- any close releases");
    CALL(set(F_SETLK, F_WRLCK, 0, 0));
    CHILD(test(F_WRLCK, 0, 0));
    CALL(close(ro));
    CHILD(test(F_WRLCK, 0, 0));
    CALL(set(F_SETLK, F_WRLCK, 0, 0));
    CALL(close(dup(fd)));
    CHILD(test(F_WRLCK, 0, 0));
    CALL(set(F_SETLK, F_WRLCK, 0, 0));
    CHILD(CALL(close(fd)));
    CHILD(test(F_WRLCK, 0, 0));
    CALL(set(F_SETLK, F_UNLCK, 0, 0));

    puts("-- a child's lock goes with it");
    int ready[2];
    pipe(ready);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        set(F_SETLK, F_WRLCK, 0, 0);
        write(ready[1], "x", 1);
        usleep(30000);
        _exit(0);
    }
    char c;
    read(ready[0], &c, 1);
    CALL(set(F_SETLK, F_WRLCK, 0, 1));
    l = lock(F_RDLCK, SEEK_SET, 0, 0);
    fcntl(fd, F_GETLK, &l);
    HOLDS(l.l_pid == child && l.l_type == F_WRLCK);
    CALL(set(F_SETLKW, F_WRLCK, 0, 1));
    waitpid(child, NULL, 0);
    CALL(set(F_SETLK, F_UNLCK, 0, 0));

    puts("-- deadlock");
    CALL(set(F_SETLK, F_WRLCK, 0, 1));
    fflush(stdout);
    child = fork();
    if (child == 0) {
        set(F_SETLK, F_WRLCK, 1, 1);
        write(ready[1], "x", 1);
        int result = set(F_SETLKW, F_WRLCK, 0, 1);
        printf("child got it: %d\n", result);
        fflush(stdout);
        _exit(0);
    }
    read(ready[0], &c, 1);
    usleep(30000);
    CALL(set(F_SETLKW, F_WRLCK, 1, 1));
    CALL(set(F_SETLK, F_UNLCK, 0, 1));
    waitpid(child, NULL, 0);

    puts("-- interrupted");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        set(F_SETLK, F_WRLCK, 0, 0);
        write(ready[1], "x", 1);
        pause();
    }
    read(ready[0], &c, 1);
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    CALL(set(F_SETLKW, F_WRLCK, 0, 1));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CALL(set(F_SETLK, F_WRLCK, 0, 1));
    for (int i = 3; i < 12; i++)
        close(i);
    leave_tmpfs();
    return 0;
}
