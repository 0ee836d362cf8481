/* flock: shared, exclusive, conversion, what dup and fork share, waiting, interruption. */
#include "check.h"
#include <sys/file.h>

static void handler(int signal) {}

int main(void) {
    scratch_tmpfs("flock");
    CALL(open("f", O_CREAT | O_RDWR, 0600));
    CALL(open("f", O_RDONLY));
    CALL(flock(3, LOCK_SH));
    CALL(flock(4, LOCK_SH | LOCK_NB));
    CALL(flock(3, LOCK_EX | LOCK_NB));
    CALL(flock(4, LOCK_UN));
    CALL(flock(3, LOCK_EX | LOCK_NB));
    CALL(flock(4, LOCK_SH | LOCK_NB));
    CALL(flock(4, LOCK_EX | LOCK_NB));
    CALL(dup(3));
    CALL(flock(5, LOCK_EX | LOCK_NB));
    CALL(flock(5, LOCK_SH | LOCK_NB));
    CALL(flock(4, LOCK_SH | LOCK_NB));
    CALL(flock(4, LOCK_UN));
    CALL(flock(3, LOCK_EX));
    CALL(close(3));
    CALL(flock(4, LOCK_EX | LOCK_NB));
    CALL(close(5));
    CALL(flock(4, LOCK_EX | LOCK_NB));
    CALL(flock(4, LOCK_UN | LOCK_NB));
    CALL(flock(4, LOCK_UN));

    puts("-- fork");
    CALL(flock(4, LOCK_EX));
    CHILD(CALL(flock(4, LOCK_EX | LOCK_NB)); int fd = open("f", O_RDWR); CALL(flock(fd, LOCK_SH | LOCK_NB)); CALL(close(4)); CALL(flock(fd, LOCK_SH | LOCK_NB)));
    CHILD(CALL(flock(4, LOCK_UN)));
    CALL(open("f", O_RDWR));
    CALL(flock(3, LOCK_EX | LOCK_NB));
    CALL(flock(3, LOCK_UN));

    puts("-- waiting");
    int p[2];
    pipe(p);
    CALL(flock(4, LOCK_EX));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(4);
        write(p[1], "x", 1);
        int result = flock(3, LOCK_SH);
        printf("child got it: %d\n", result);
        fflush(stdout);
        _exit(0);
    }
    char c;
    read(p[0], &c, 1);
    usleep(30000);
    CALL(flock(4, LOCK_UN));
    waitpid(child, NULL, 0);
    CALL(flock(3, LOCK_UN));
    CALL(flock(4, LOCK_EX));
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    CALL(flock(3, LOCK_EX));
    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(3);
        usleep(30000);
        _exit(0);
    }
    close(4);
    CALL(flock(3, LOCK_EX));
    waitpid(child, NULL, 0);

    puts("-- others");
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CALL(fcntl(3, F_SETLK, &l));
    CALL(flock(p[0], LOCK_EX | LOCK_NB));
    int d = open(".", O_RDONLY);
    CALL(flock(d, LOCK_EX | LOCK_NB));
    CALL(flock(99, LOCK_EX));
    CALL(flock(3, 0));
    CALL(flock(3, LOCK_SH | LOCK_EX));
    CALL(flock(3, LOCK_NB));
    int path = open("f", O_PATH);
    CALL(flock(path, LOCK_SH));
    for (int i = 3; i < 12; i++)
        close(i);
    leave_tmpfs();
    return 0;
}
