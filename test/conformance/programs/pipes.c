/* pipe, FIFO, poll, select, O_NONBLOCK, SIGPIPE, flock, record locks. */
#include "check.h"
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>

static char buf[100000];

static void ask(int fd, int events) {
    struct pollfd p = {fd, events, 0x7fff};
    int n = poll(&p, 1, 0);
    printf("poll %d: %d %x\n", events, n, p.revents);
}

static void on_signal(int number) { printf("signal %d\n", number); }

static int lock(int fd, int command, int type, long start, long length) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    int result = fcntl(fd, command, &l);
    if (result == 0 && (command == F_GETLK || command == F_OFD_GETLK))
        printf("type %d start %ld length %ld %s\n", l.l_type, l.l_start, l.l_len,
               l.l_type == F_UNLCK ? "-" : l.l_pid == -1 ? "ofd" : l.l_pid == getppid() ? "parent" : "other");
    return result;
}

int main(void) {
    scratch("pipes");
    int p[2];
    CALL(pipe(p));
    CALL(pipe2(p, 0x1));
    CALL(pipe(NULL));
    CALL(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    printf("%d %d %o %o\n", fcntl(p[0], F_GETFD), fcntl(p[1], F_GETFD), fcntl(p[0], F_GETFL), fcntl(p[1], F_GETFL));
    CALL(read(p[0], buf, 1));
    CALL(write(p[1], buf, 100000));
    CALL(write(p[1], buf, 1));
    ask(p[0], POLLIN | POLLOUT);
    ask(p[1], POLLIN | POLLOUT);
    int n;
    CALL(ioctl(p[0], FIONREAD, &n));
    CALL(n);
    CALL(read(p[0], buf, 5000));
    CALL(write(p[1], buf, 4096));
    CALL(read(p[1], buf, 1));
    CALL(write(p[0], buf, 1));
    CALL(lseek(p[0], 0, SEEK_CUR));
    CALL(pread(p[0], buf, 1, 0));
    CALL(ftruncate(p[1], 0));
    CALL(fsync(p[1]));
    CALL(fcntl(p[0], F_GETPIPE_SZ));
    CALL(fcntl(p[0], F_SETPIPE_SZ, 4096));
    CALL(fcntl(p[0], F_SETPIPE_SZ, 100000));
    CALL(read(p[0], buf, 100000));
    ask(p[0], POLLIN);
    ask(p[1], POLLOUT);
    CALL(close(p[1]));
    ask(p[0], POLLIN);
    ask(p[0], 0);
    CALL(read(p[0], buf, 1));
    struct stat st;
    fstat(p[0], &st);
    printf("%o\n", st.st_mode);
    close(p[0]);
    ask(p[0], POLLIN);
    signal(SIGPIPE, on_signal);
    CALL(pipe(p));
    close(p[0]);
    ask(p[1], POLLOUT);
    CALL(write(p[1], "x", 1));
    CALL(write(p[1], "x", 0));
    close(p[1]);
    CHILD({
        signal(SIGPIPE, SIG_DFL);
        pipe(p);
        close(p[0]);
        write(p[1], "x", 1);
    });

    /* a writer that must wait for its reader */
    CALL(pipe(p));
    fflush(stdout);
    pid_t writer = fork();
    if (writer == 0) {
        close(p[0]);
        long sum = 0;
        for (int i = 0; i < 3; i++)
            sum += write(p[1], buf, 70000);
        _exit(sum == 210000 ? 0 : 1);
    }
    close(p[1]);
    long total = 0, got;
    while ((got = read(p[0], buf, 3000)) > 0)
        total += got;
    CALL(total);
    int status;
    waitpid(writer, &status, 0);
    show_status("writer", status);

    /* FIFO */
    CALL(mkfifo("fifo", 0644));
    CALL(open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    CALL(read(reader, buf, 1));
    ask(reader, POLLIN);
    int w = open("fifo", O_WRONLY);
    CALL(write(w, "fifo", 4));
    CALL(read(reader, buf, 10));
    CALL(read(reader, buf, 10));
    close(w);
    ask(reader, POLLIN);
    CALL(read(reader, buf, 10));
    close(reader);
    CALL(reader = open("fifo", O_RDWR));
    CALL(write(reader, "self", 4));
    CALL(read(reader, buf, 10));
    close(reader);
    fflush(stdout);
    writer = fork();
    if (writer == 0) {
        int out = open("fifo", O_WRONLY);
        write(out, "from child", 10);
        _exit(0);
    }
    CALL(reader = open("fifo", O_RDONLY));
    got = read(reader, buf, 100);
    while (got > 0 && got < 10)
        got += read(reader, buf + got, 100);
    printf("%.*s\n", (int)got, buf);
    waitpid(writer, &status, 0);
    close(reader);

    /* an interrupted open and read */
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    CALL(open("fifo", O_RDONLY));
    CALL(pipe(p));
    ualarm(20000, 0);
    CALL(read(p[0], buf, 1));
    ualarm(20000, 0);
    CALL(poll(NULL, 0, -1));

    /* select */
    fd_set r, wr;
    struct timeval tv = {0, 1000};
    FD_ZERO(&r);
    FD_ZERO(&wr);
    FD_SET(p[0], &r);
    FD_SET(p[1], &wr);
    CALL(select(p[1] + 1, &r, &wr, NULL, &tv));
    printf("%d %d\n", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[1], &wr));
    FD_SET(p[0], &r);
    CALL(select(p[0] + 1, &r, NULL, NULL, &tv));
    printf("%d %ld %ld\n", !!FD_ISSET(p[0], &r), (long)tv.tv_sec, (long)tv.tv_usec);
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    FD_SET(50, &r);
    CALL(select(51, &r, NULL, NULL, &tv));
    CALL(select(-1, NULL, NULL, NULL, &tv));
    tv.tv_sec = -1;
    CALL(select(0, NULL, NULL, NULL, &tv));
    struct timespec ts = {0, 1000000000};
    CALL(ppoll(NULL, 0, &ts, NULL));
    ts.tv_nsec = 1000;
    CALL(ppoll(NULL, 0, &ts, NULL));
    CALL(pselect(0, NULL, NULL, NULL, &ts, NULL));
    CALL(poll(BAD_POINTER, 1, 0));
    struct pollfd set[4] = {{p[0], POLLIN}, {-1, POLLIN}, {77, POLLIN}, {p[1], POLLOUT | POLLIN}};
    CALL(poll(set, 4, 0));
    printf("%x %x %x %x\n", set[0].revents, set[1].revents, set[2].revents, set[3].revents);
    close(p[0]);
    close(p[1]);

    /* locks */
    int f = open("f", O_CREAT | O_RDWR, 0644);
    write(f, buf, 100);
    CALL(flock(f, LOCK_EX));
    CALL(flock(f, LOCK_SH));
    CALL(flock(f, 77));
    CALL(flock(99, LOCK_EX));
    int g = open("f", O_RDWR);
    CALL(flock(g, LOCK_EX | LOCK_NB));
    CALL(flock(g, LOCK_SH | LOCK_NB));
    CALL(flock(f, LOCK_EX | LOCK_NB));
    CALL(flock(f, LOCK_UN));
    CALL(flock(g, LOCK_EX | LOCK_NB));
    CALL(lock(f, F_SETLK, F_WRLCK, 10, 20));
    CALL(lock(f, F_GETLK, F_WRLCK, 0, 0));
    CALL(lock(f, F_SETLK, 9, 10, 20));
    CALL(lock(f, F_SETLK, F_WRLCK, -10, 5));
    CALL(lock(f, F_GETLK, F_UNLCK, 0, 0));
    CALL(lock(99, F_SETLK, F_WRLCK, 0, 0));
    CALL(fcntl(f, F_SETLK, NULL));
    CHILD({
        CALL(lock(f, F_SETLK, F_RDLCK, 29, 1));
        CALL(lock(f, F_SETLK, F_RDLCK, 30, 0));
        CALL(lock(f, F_GETLK, F_WRLCK, 0, 0));
        CALL(lock(f, F_GETLK, F_RDLCK, 0, 10));
        CALL(lock(f, F_OFD_SETLK, F_WRLCK, 0, 5));
        CALL(lock(f, F_OFD_GETLK, F_WRLCK, 0, 0));
        CALL(lock(f, F_OFD_SETLK, F_UNLCK, 0, 5));
        ualarm(20000, 0);
        CALL(lock(f, F_SETLKW, F_WRLCK, 15, 1));
    });
    CALL(lock(f, F_OFD_GETLK, F_WRLCK, 50, 0));
    CALL(lock(f, F_SETLK, F_UNLCK, 15, 5));
    CHILD({
        CALL(lock(f, F_GETLK, F_WRLCK, 0, 0));
        CALL(lock(f, F_GETLK, F_WRLCK, 15, 0));
        CALL(lock(f, F_SETLK, F_WRLCK, 15, 5));
    });
    close(open("f", O_RDONLY));
    CHILD({ CALL(lock(f, F_SETLK, F_WRLCK, 5, 0)); });

    /* a deadlock */
    int turn[2];
    pipe(turn);
    lock(f, F_SETLK, F_WRLCK, 0, 1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        lock(f, F_SETLK, F_WRLCK, 1, 1);
        write(turn[1], "x", 1);
        _exit(lock(f, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 0 : 1);
    }
    read(turn[0], buf, 1);
    usleep(50000);
    CALL(lock(f, F_SETLKW, F_WRLCK, 1, 1));
    lock(f, F_SETLK, F_UNLCK, 0, 0);
    waitpid(child, &status, 0);
    show_status("child", status);
    return 0;
}
