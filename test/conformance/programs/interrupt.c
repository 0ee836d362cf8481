/* Which sleeping calls a signal ends with EINTR, which go on with SA_RESTART; SIGPIPE; SIGCHLD while waiting. */
#include "check.h"
#include <poll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/time.h>

static volatile sig_atomic_t count;
static void counter(int signal) { count++; }

static void install(int signal, int flags) {
    struct sigaction action = {.sa_handler = counter, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

/* A call under an alarm that comes again and again, in case the first comes before the call. */
#define UNDER(...)                                                                                                     \
    do {                                                                                                               \
        count = 0;                                                                                                     \
        ualarm(10000, 10000);                                                                                          \
        CALL(__VA_ARGS__);                                                                                             \
        ualarm(0, 0);                                                                                                  \
        printf("handlers %d\n", count > 0);                                                                                \
    } while (0)

int main(void) {
    scratch("interrupt");
    int ends[2], full[2];
    pipe(ends);
    pipe(full);
    char byte, block[65536] = {0};
    fcntl(full[1], F_SETFL, O_NONBLOCK);
    while (write(full[1], block, sizeof block) > 0)
        ;
    fcntl(full[1], F_SETFL, 0);
    struct timespec second = {1, 0};
    struct timeval a_second = {1, 0};
    struct pollfd poller = {ends[0], POLLIN};
    fd_set set;
    FD_ZERO(&set);
    sigset_t none;
    sigemptyset(&none);
    mkfifo("fifo", 0600);
    int held = open("lock", O_RDWR | O_CREAT, 0600), wanted = open("lock", O_RDWR);
    flock(held, LOCK_EX);
    pid_t sleeper = fork();
    if (sleeper == 0)
        for (;;)
            pause();
    for (int restart = 0; restart < 2; restart++) {
        install(SIGALRM, restart ? SA_RESTART : 0);
        printf("restart %d\n", restart);
        UNDER(nanosleep(&second, NULL));
        UNDER(pause());
        UNDER(poll(&poller, 1, 1000));
        UNDER(ppoll(&poller, 1, &second, NULL));
        FD_SET(ends[0], &set);
        UNDER(select(ends[0] + 1, &set, NULL, NULL, &a_second));
        UNDER(sigsuspend(&none));
        if (restart)
            break;
        UNDER(read(ends[0], &byte, 1));
        UNDER(write(full[1], &byte, 1));
        UNDER(open("fifo", O_RDONLY));
        UNDER(flock(wanted, LOCK_EX));
        UNDER(waitpid(sleeper, NULL, 0));
        struct flock lock = {.l_type = F_WRLCK};
        siginfo_t info;
        UNDER(waitid(P_PID, sleeper, &info, WEXITED));
    }
    /* Restarted, and served in the end. */
    install(SIGALRM, SA_RESTART);
    pid_t helper = fork();
    if (helper == 0) {
        usleep(30000);
        write(ends[1], "x", 1);
        usleep(10000);
        read(full[0], block, 4096);
        usleep(10000);
        close(open("fifo", O_WRONLY));
        usleep(10000);
        flock(held, LOCK_UN);
        usleep(10000);
        kill(sleeper, SIGTERM);
        _exit(0);
    }
    ualarm(5000, 5000);
    CALL(read(ends[0], &byte, 1));
    CALL(write(full[1], &byte, 1));
    CALL(open("fifo", O_RDONLY) > 0);
    CALL(flock(wanted, LOCK_EX));
    int status;
    CALL(waitpid(sleeper, &status, 0) == sleeper);
    ualarm(0, 0);
    show_status("sleeper", status);
    waitpid(helper, NULL, 0);
    /* A write that has begun tells how far it came. */
    while (poll(&(struct pollfd){full[0], POLLIN}, 1, 0) == 1)
        read(full[0], block, sizeof block);
    install(SIGALRM, 0);
    static char large[200000];
    count = 0;
    ualarm(30000, 0);
    CALL(write(full[1], large, sizeof large));
    printf("handlers %d\n", count);
    /* An ignored signal and a default-ignored one interrupt nothing. */
    signal(SIGUSR1, SIG_IGN);
    pid_t self = getpid();
    helper = fork();
    if (helper == 0) {
        usleep(5000);
        kill(self, SIGUSR1);
        kill(self, SIGWINCH);
        kill(self, SIGCONT);
        usleep(10000);
        write(ends[1], "y", 1);
        _exit(0);
    }
    CALL(read(ends[0], &byte, 1));
    waitpid(helper, NULL, 0);

    /* SIGPIPE. */
    close(ends[0]);
    CHILD(write(ends[1], "x", 1));
    signal(SIGPIPE, SIG_IGN);
    CALL(write(ends[1], "x", 1));
    install(SIGPIPE, 0);
    count = 0;
    CALL(write(ends[1], "x", 1));
    printf("handlers %d\n", count);
    /* SIGCHLD ends a pause, and is there when wait returns. */
    install(SIGCHLD, 0);
    count = 0;
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    helper = fork();
    if (helper == 0)
        _exit(0);
    CALL(sigsuspend(&none));
    printf("handlers %d\n", count);
    HOLDS(wait(NULL) == helper);
    sigprocmask(SIG_UNBLOCK, &child, NULL);
    printf("handlers %d\n", count);
    return 0;
}
