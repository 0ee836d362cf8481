/* F_SETLEASE, F_GETLEASE: who gets one, who breaks it, waiting; F_DUPFD_QUERY; RENAME_WHITEOUT. */
#include "check.h"

static volatile int told;
static void on_io(int signal) { told++; }

int main(void) {
    scratch_tmpfs("leases");
    struct sigaction action = {.sa_handler = on_io};
    sigaction(SIGIO, &action, NULL);
    close(open("f", O_CREAT | O_RDWR, 0644));
    int r = open("f", O_RDONLY), w = open("f", O_RDWR);

    puts("-- getting one");
    CALL(fcntl(r, F_GETLEASE));
    CALL(fcntl(r, F_SETLEASE, F_RDLCK));
    CALL(fcntl(r, F_SETLEASE, F_WRLCK));
    CALL(fcntl(r, F_SETLEASE, F_UNLCK));
    CALL(fcntl(r, F_SETLEASE, 7));
    close(w);
    CALL(fcntl(r, F_SETLEASE, F_RDLCK));
    CALL(fcntl(r, F_GETLEASE));
    CALL(fcntl(r, F_SETLEASE, F_WRLCK));
    CALL(fcntl(r, F_GETLEASE));
    CALL(fcntl(r, F_SETLEASE, F_RDLCK));

    puts("-- readers do not mind, writers break it");
    int other = open("f", O_RDONLY);
    HOLDS(other >= 0 && told == 0);
    close(other);
    CALL(open("f", O_WRONLY | O_NONBLOCK));
    HOLDS(told == 1);
    CALL(fcntl(r, F_GETLEASE));
    CALL(open("f", O_WRONLY | O_NONBLOCK));
    HOLDS(told == 1);
    CALL(fcntl(r, F_SETLEASE, F_UNLCK));
    w = open("f", O_WRONLY | O_NONBLOCK);
    HOLDS(w >= 0);
    CALL(fcntl(w, F_SETLEASE, F_RDLCK));
    close(w);

    puts("-- sleeping until it is given up");
    told = 0;
    CALL(fcntl(r, F_SETLEASE, F_RDLCK));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(r);
        int fd = open("f", O_WRONLY);
        printf("the child opened it: %d\n", fd >= 0);
        fflush(stdout);
        _exit(0);
    }
    while (!told)
        usleep(1000);
    CALL(fcntl(r, F_GETLEASE));
    CALL(fcntl(r, F_SETLEASE, F_UNLCK));
    waitpid(child, NULL, 0);

    puts("-- a write lease");
    close(r);
    told = 0;
    w = open("f", O_RDWR);
    CALL(fcntl(w, F_SETLEASE, F_WRLCK));
    CALL(open("f", O_RDONLY | O_NONBLOCK));
    HOLDS(told == 1);
    CALL(fcntl(w, F_GETLEASE));
    CALL(fcntl(w, F_SETLEASE, F_RDLCK));
    CALL(fcntl(w, F_SETLEASE, F_UNLCK));
    close(w);

    puts("-- refused");
    int d = open(".", O_RDONLY), p[2];
    pipe(p);
    CALL(fcntl(p[0], F_SETLEASE, F_RDLCK));
    CALL(fcntl(p[0], F_GETLEASE));
    CALL(fcntl(99, F_GETLEASE));
    chmod("f", 0666), chmod(".", 0777);
    CHILD(become(1000, 1000); int fd = open("f", O_RDONLY); CALL(fcntl(fd, F_SETLEASE, F_RDLCK)));

    puts("-- the same open file?");
    int e = dup(d);
    CALL(fcntl(d, 1027, e));
    CALL(fcntl(d, 1027, p[0]));
    CALL(fcntl(d, 1027, 99));

    puts("-- whiteout");
    struct stat st;
    CALL(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 4));
    CALL(stat("f", &st));
    printf("%o %ld\n", st.st_mode, (long)st.st_rdev);
    CALL(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 6));
    CALL(open("f", O_RDONLY));
    leave_tmpfs();
    return 0;
}
