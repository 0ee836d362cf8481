/* Signals from keys, window size, background jobs, flow control. */
#include "../programs/check.h"
#include "terminal.h"

static volatile sig_atomic_t seen;
static void handler(int signal) { seen = signal; }

static void await(const char *label) {
    seen = 0;
    mark();
    while (!seen)
        usleep(1000);
    printf("%s: SIG%s\n", label, sigabbrev_np(seen));
    fflush(stdout);
}

int main(void) {
    struct winsize w;
    struct sigaction action = {.sa_handler = handler};
    int signals[] = {SIGINT, SIGQUIT, SIGTSTP, SIGWINCH};
    for (int i = 0; i < 4; i++)
        sigaction(signals[i], &action, NULL);
    HOLDS(getsid(0) == getpid() && tcgetsid(0) == getpid() && tcgetpgrp(0) == getpgrp());
    CALL(ioctl(0, TIOCGWINSZ, &w));
    printf("%d x %d\n", w.ws_row, w.ws_col);
    await("interrupt");
    await("quit");
    await("suspend");
    mark();
    usleep(30000);
    if (fork() == 0) {
        /* The key must come while the read sleeps. */
        usleep(30000);
        mark();
        _exit(0);
    }
    asked++;
    ask_again("read is interrupted");
    wait(NULL);
    ask("what was typed is gone");
    flags(0, 0, NOFLSH, 0);
    seen = 0;
    mark();
    while (!seen)
        usleep(1000);
    ask("NOFLSH keeps it");
    flags(0, 0, 0, NOFLSH | ISIG);
    ask("without ISIG");
    flags(0, 0, ISIG, 0);
    special(VINTR, 'i');
    await("another character");
    special(VINTR, 3);
    flags(0, 0, 0, ECHO);
    await("without echo");
    flags(0, 0, ECHO, 0);

    puts("-- window size");
    await("resized");
    ioctl(0, TIOCGWINSZ, &w);
    printf("%d x %d\n", w.ws_row, w.ws_col);
    seen = 0;
    w.ws_row = 10, w.ws_col = 20;
    CALL(ioctl(0, TIOCSWINSZ, &w));
    printf("signal %d\n", seen == SIGWINCH);
    seen = 0;
    CALL(ioctl(0, TIOCSWINSZ, &w));
    printf("signal %d\n", seen == SIGWINCH);
    CALL(ioctl(0, TIOCGWINSZ, UNMAPPED));

    puts("-- background");
    fflush(stdout);
    signal(SIGTSTP, SIG_DFL);
    int status;
    pid_t child = fork();
    if (child == 0) {
        char c[2];
        setpgid(0, 0);
        raise(SIGSTOP);
        CALL(read(0, c, 2));
        printf("%.1s\n", c);
        struct termios t;
        tcgetattr(0, &t);
        CALL(tcsetattr(0, TCSANOW, &t));
        t.c_lflag |= TOSTOP;
        CALL(tcsetattr(0, TCSANOW, &t));
        write(1, "written in the foreground\n", 26);
        raise(SIGSTOP);
        write(1, "written again\n", 14);
        signal(SIGTTOU, SIG_IGN);
        write(1, "written with SIGTTOU ignored\n", 29);
        CALL(tcsetpgrp(0, getpgrp()));
        signal(SIGTTIN, SIG_IGN);
        tcsetpgrp(0, getppid());
        CALL(read(0, c, 2));
        sigset_t set;
        sigemptyset(&set), sigaddset(&set, SIGTTIN), signal(SIGTTIN, SIG_DFL);
        sigprocmask(SIG_BLOCK, &set, NULL);
        CALL(read(0, c, 2));
        fflush(stdout);
        _exit(7);
    }
    waitpid(child, &status, WUNTRACED), show_status("itself", status);
    kill(child, SIGCONT);
    waitpid(child, &status, WUNTRACED), show_status("reads in the background", status);
    CALL(tcsetpgrp(0, child));
    HOLDS(tcgetpgrp(0) == child);
    kill(child, SIGCONT);
    mark();
    waitpid(child, &status, WUNTRACED), show_status("stopped itself", status);
    signal(SIGTTOU, SIG_IGN);
    CALL(tcsetpgrp(0, getpgrp()));
    signal(SIGTTOU, SIG_DFL);
    kill(child, SIGCONT);
    waitpid(child, &status, WUNTRACED), show_status("writes in the background", status);
    flags(0, 0, 0, TOSTOP);
    kill(child, SIGCONT);
    waitpid(child, &status, WUNTRACED), show_status("end", status);
    CALL(tcsetpgrp(0, 999999));
    CALL(tcsetpgrp(0, 1));
    CALL(ioctl(0, TIOCSCTTY, 0));

    puts("-- the foreground job gets the keys");
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(0, getpgrp());
        signal(SIGTTOU, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        mark();
        for (;;)
            pause();
    }
    asked++;
    waitpid(child, &status, WUNTRACED), show_status("suspended", status);
    kill(child, SIGCONT);
    mark();
    waitpid(child, &status, WUNTRACED), show_status("interrupted", status);
    signal(SIGTTOU, SIG_IGN);
    CALL(tcsetpgrp(0, getpgrp()));

    puts("-- flow control");
    mark();
    usleep(50000);
    ask_again("stopped and started");
    int off = tcflow(1, TCOOFF), on = tcflow(1, TCOON);
    printf("tcflow %d %d\n", off, on);
    fflush(stdout);
    int tty = open("/dev/tty", O_RDWR);
    HOLDS(tty >= 0 && isatty(tty));
    write(tty, "through /dev/tty\n", 17);
    return 0;
}
