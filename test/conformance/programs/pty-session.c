/* Pseudo-terminals as controlling terminals: sessions, hang-up, window size, job control, signals by key. */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char name[64], buf[256];
static int report[2];

static void note(int signal) {
    char c = (char)signal;
    write(report[1], &c, 1);
}

/* Prints the signals that were noted since the last time. */
static void noted(const char *label) {
    struct pollfd p = {report[0], POLLIN};
    int seen[65] = {0}, any = 0;
    unsigned char c;
    while (poll(&p, 1, any ? 50 : 500) == 1 && read(report[0], &c, 1) == 1)
        seen[c] = any = 1;
    printf("%s:", label);
    for (int i = 1; i < 65; i++)
        if (seen[i])
            printf(" SIG%s", sigabbrev_np(i));
    puts(any ? "" : " none");
}

static void open_master(void) {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    unlockpt(master);
    strcpy(name, ptsname(master));
}

/* Waits until a byte comes from a child. */
static int sync_pipe[2];
static void ready(void) { write(sync_pipe[1], "r", 1); }
static void await(void) {
    char c;
    read(sync_pipe[0], &c, 1);
}

static void drain_master(const char *label) {
    struct pollfd p = {master, POLLIN};
    printf("%s:", label);
    while (poll(&p, 1, 100) == 1) {
        long n = read(master, buf, sizeof buf);
        if (n <= 0) {
            printf(" %s", n < 0 ? errno_name(errno) : "end");
            break;
        }
        for (long i = 0; i < n; i++)
            printf(buf[i] >= 32 && buf[i] < 127 ? "%c" : "<%02x>", (unsigned char)buf[i]);
    }
    puts("");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    pipe(report);
    pipe(sync_pipe);
    signal(SIGTTOU, SIG_IGN);

    puts("-- taking a terminal");
    open_master();
    CHILD({
        int value = -1;
        slave = open(name, O_RDWR);
        CALL(ioctl(slave, TIOCSCTTY, 0));
        setsid();
        CALL(open("/dev/tty", O_RDWR));
        CALL(ioctl(slave, TIOCGSID, &value));
        CALL(ioctl(slave, TIOCSCTTY, 0));
        CALL(ioctl(slave, TIOCSCTTY, 0));
        CALL(ioctl(slave, TIOCGSID, &value));
        HOLDS(value == getpid());
        HOLDS(tcgetpgrp(slave) == getpid());
        HOLDS(tcgetpgrp(master) == getpid());
        CALL(ioctl(master, TIOCGSID, &value));
        HOLDS(value == getpid());
        WORKS(value = open("/dev/tty", O_RDWR));
        CALL(isatty(value));
        struct stat a, b;
        fstat(value, &a), fstat(slave, &b);
        HOLDS(a.st_rdev == 0x500 && b.st_rdev != 0x500);
        CALL(write(value, "by tty\n", 7));
        drain_master("master");
        CALL(tcsetpgrp(slave, 1));
        CALL(tcsetpgrp(slave, 999999));
        CALL(tcsetpgrp(slave, -1));
        CHILD({
            CALL(ioctl(slave, TIOCSCTTY, 0));
            CALL(ioctl(slave, TIOCNOTTY));
            CALL(open("/dev/tty", O_RDWR));
            CALL(tcgetpgrp(slave));
        });
        CHILD({
            setsid();
            CALL(open("/dev/tty", O_RDWR));
            CALL(ioctl(slave, TIOCSCTTY, 0));
            CALL(tcgetpgrp(slave));
        });
        WORKS(open("/dev/tty", O_RDWR));
        signal(SIGHUP, note);
        signal(SIGCONT, note);
        CALL(ioctl(slave, TIOCNOTTY));
        noted("gave up");
        CALL(open("/dev/tty", O_RDWR));
        CALL(tcgetpgrp(slave));
        WORKS(open(name, O_RDWR | O_NOCTTY));
        CALL(open("/dev/tty", O_RDWR));
        WORKS(open(name, O_WRONLY));
        CALL(open("/dev/tty", O_RDWR));
        WORKS(open(name, O_RDWR));
        WORKS(open("/dev/tty", O_RDWR));
        open_master();
        WORKS(slave = open(name, O_RDWR));
        CALL(ioctl(slave, TIOCSCTTY, 0));
        CALL(tcgetpgrp(slave));
    });
    close(master);

    puts("-- keys and window size");
    open_master();
    pid_t pid = fork();
    if (pid == 0) {
        close(master);
        setsid();
        slave = open(name, O_RDWR);
        int signals[] = {SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGHUP, SIGCONT};
        for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
            signal(signals[i], note);
        ready();
        for (;;)
            pause();
    }
    await();
    write(master, "\x03", 1);
    noted("^C");
    write(master, "abc\x1c", 4);
    noted("^\\");
    write(master, "\x1a", 1);
    noted("^Z");
    drain_master("echo");
    struct winsize w = {10, 20, 0, 0};
    CALL(ioctl(master, TIOCSWINSZ, &w));
    noted("size");
    CALL(ioctl(master, TIOCSWINSZ, &w));
    noted("same size");
    CALL(ioctl(master, TIOCSIG, SIGINT));
    noted("TIOCSIG");
    CALL(ioctl(master, TIOCSIG, SIGTERM));
    close(master);
    noted("master closed");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    puts("-- the leader dies of a hang-up");
    open_master();
    pid = fork();
    if (pid == 0) {
        close(master);
        setsid();
        slave = open(name, O_RDWR);
        ready();
        for (;;)
            pause();
    }
    await();
    close(master);
    int status;
    waitpid(pid, &status, 0);
    show_status("leader", status);

    puts("-- the foreground group hears of it when the leader ends");
    open_master();
    pid = fork();
    if (pid == 0) {
        close(master);
        setsid();
        slave = open(name, O_RDWR);
        signal(SIGHUP, SIG_IGN);
        pid_t job = fork();
        if (job == 0) {
            setpgid(0, 0);
            signal(SIGHUP, note);
            signal(SIGCONT, note);
            tcsetpgrp(slave, getpid());
            ready();
            alarm(5);
            for (;;)
                pause();
        }
        char c;
        int wait_fd = sync_pipe[0];
        read(wait_fd, &c, 1);
        ready();
        ready();
        usleep(300000);
        printf("read %zd\n", read(slave, buf, 1));
        usleep(300000);
        _exit(3);
    }
    usleep(100000);
    await();
    close(master);
    struct pollfd p = {report[0], POLLIN};
    printf("at once: %d\n", poll(&p, 1, 150));
    waitpid(pid, &status, 0);
    show_status("leader", status);
    noted("job");
    await();

    puts("-- background");
    open_master();
    CHILD({
        setsid();
        slave = open(name, O_RDWR);
        signal(SIGTTOU, SIG_DFL);
        pid_t job = fork();
        if (job == 0) {
            setpgid(0, 0);
            signal(SIGTTIN, SIG_DFL);
            long n = read(slave, buf, sizeof buf);
            printf("job read %ld\n", n);
            struct termios t;
            tcgetattr(slave, &t);
            t.c_lflag |= TOSTOP;
            printf("job set %d\n", tcsetattr(slave, TCSANOW, &t));
            printf("job wrote %zd\n", write(slave, "hello\n", 6));
            fflush(stdout);
            _exit(0);
        }
        setpgid(job, job);
        waitpid(job, &status, WUNTRACED);
        show_status("job", status);
        signal(SIGTTOU, SIG_IGN);
        CALL(tcsetpgrp(slave, job) == 0);
        write(master, "line\n", 5);
        kill(-job, SIGCONT);
        waitpid(job, &status, WUNTRACED);
        show_status("job", status);
        CALL(tcsetpgrp(slave, getpgrp()));
        job = fork();
        if (job == 0) {
            setpgid(0, 0);
            signal(SIGTTOU, SIG_DFL);
            write(slave, "stops\n", 6);
            _exit(0);
        }
        setpgid(job, job);
        waitpid(job, &status, WUNTRACED);
        show_status("writer", status);
        tcsetpgrp(slave, job);
        kill(-job, SIGCONT);
        waitpid(job, &status, WUNTRACED);
        show_status("writer", status);
        drain_master("shown");
    });
    close(master);

    puts("-- vhangup");
    open_master();
    CHILD({
        setsid();
        slave = open(name, O_RDWR);
        signal(SIGHUP, note);
        signal(SIGCONT, note);
        CALL(syscall(SYS_vhangup));
        noted("vhangup");
        CALL(read(slave, buf, 1));
        CALL(write(slave, "x", 1));
        CALL(open("/dev/tty", O_RDWR));
        WORKS(slave = open(name, O_RDWR));
        CALL(write(slave, "back\n", 5));
        drain_master("master");
        become(1000, 1000);
        CALL(syscall(SYS_vhangup));
    });
    close(master);

    puts("-- TIOCSTI");
    open_master();
    CHILD({
        setsid();
        slave = open(name, O_RDWR);
        for (const char *c = "put\n"; *c; c++)
            CALL(ioctl(slave, TIOCSTI, c));
        CALL(read(slave, buf, 10));
        drain_master("echo");
        CALL(ioctl(slave, TIOCSTI, NULL));
    });
    CHILD({
        slave = open(name, O_RDWR | O_NOCTTY);
        become(1000, 1000);
        CALL(ioctl(slave, TIOCSTI, "x"));
    });
    return 0;
}
