/* signalfd, signalfd4: reading signals from a descriptor, what each carries, sets, epoll, children, errors. */
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static struct signalfd_siginfo info[4];
static sigset_t set_of(int a, int b) {
    sigset_t s;
    sigemptyset(&s), sigaddset(&s, a);
    if (b)
        sigaddset(&s, b);
    return s;
}
static void show(int i) {
    struct signalfd_siginfo *s = &info[i];
    printf("signal %u code %d errno %d from us %d uid %u status %d int %d ptr %lx fd %d tid %u band %u overrun %u\n", s->ssi_signo,
           s->ssi_code, s->ssi_errno, s->ssi_pid == (unsigned)getpid(), s->ssi_uid, s->ssi_status, s->ssi_int,
           (unsigned long)s->ssi_ptr, s->ssi_fd, s->ssi_tid, s->ssi_band, s->ssi_overrun);
}
static void ready(const char *label, int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", label, n, p.revents);
    fflush(stdout);
}

int main(void) {
    sigset_t both = set_of(SIGUSR1, SIGUSR2), all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    int fd = signalfd(-1, &both, SFD_NONBLOCK | SFD_CLOEXEC);
    CALL(fcntl(fd, F_GETFD));
    CALL(fcntl(fd, F_GETFL));
    puts("-- reading");
    CALL(read(fd, info, sizeof info));
    ready("nothing", fd);
    kill(getpid(), SIGUSR2);
    ready("one", fd);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    CALL(read(fd, info, sizeof info));
    show(0), show(1);
    CALL(read(fd, info, sizeof info));
    sigset_t pending;
    sigpending(&pending);
    HOLDS(!sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
    raise(SIGUSR1);
    CALL(read(fd, info, 127));
    CALL(read(fd, info, 200));
    show(0);
    kill(getpid(), SIGHUP);
    CALL(read(fd, info, sizeof info));
    sigset_t hup = set_of(SIGHUP, 0);
    CALL(signalfd(fd, &hup, 0) == fd);
    CALL(read(fd, info, sizeof info));
    printf("%u\n", info[0].ssi_signo);

    puts("-- values");
    sigset_t rt = set_of(SIGRTMIN, SIGRTMIN + 1);
    signalfd(fd, &rt, 0);
    for (int i = 0; i < 3; i++)
        sigqueue(getpid(), SIGRTMIN + (i == 0), (union sigval){.sival_int = 70 + i});
    CALL(read(fd, info, sizeof info));
    for (int i = 0; i < 3; i++)
        printf("%d: %d %d %d\n", i, info[i].ssi_signo - SIGRTMIN, info[i].ssi_code, info[i].ssi_int);

    puts("-- children");
    sigset_t chld = set_of(SIGCHLD, 0);
    int c = signalfd(-1, &chld, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(7);
    }
    CALL(read(c, info, sizeof *info));
    HOLDS(info[0].ssi_pid == (unsigned)child && info[0].ssi_code == CLD_EXITED && info[0].ssi_status == 7);
    wait(NULL);

    puts("-- epoll and another sender");
    int ep = epoll_create1(0);
    struct epoll_event e = {EPOLLIN, {.u32 = 5}};
    signalfd(fd, &both, 0);
    CALL(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
    CALL(epoll_wait(ep, &e, 1, 0));
    if (fork() == 0) {
        usleep(20000);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CALL(epoll_wait(ep, &e, 1, 5000));
    CALL(epoll_wait(ep, &e, 1, 5000));
    CALL(read(fd, info, sizeof info));
    CALL(epoll_wait(ep, &e, 1, 0));
    wait(NULL);
    read(c, info, sizeof *info);

    puts("-- two readers of one signal");
    CALL(fcntl(fd, F_SETFL, 0));
    fflush(stdout);
    child = fork();
    if (child == 0) {
        usleep(20000);
        kill(getppid(), SIGUSR2);
        CALL(read(fd, info, sizeof info));
        printf("the child got %u\n", info[0].ssi_signo);
        fflush(stdout);
        _exit(0);
    }
    CALL(read(fd, info, sizeof info));
    printf("the parent got %u\n", info[0].ssi_signo);
    fflush(stdout);
    usleep(20000);
    kill(child, SIGUSR1);
    waitpid(child, NULL, 0);

    puts("-- interrupted");
    struct sigaction action = {.sa_handler = SIG_DFL};
    fflush(stdout);
    if ((child = fork()) == 0) {
        sigset_t term = set_of(SIGTERM, 0);
        sigprocmask(SIG_UNBLOCK, &term, NULL);
        read(fd, info, sizeof info);
        _exit(1);
    }
    usleep(20000);
    kill(child, SIGTERM);
    int status;
    waitpid(child, &status, 0);
    show_status("reader", status);

    puts("-- errors");
    CALL(signalfd(-1, &both, 1));
    CALL(signalfd(0, &both, 0));
    CALL(signalfd(99, &both, 0));
    CALL(syscall(SYS_signalfd4, -1, &both, 16, 0));
    CALL(syscall(SYS_signalfd4, -1, &both, 4, 0));
    CALL(syscall(SYS_signalfd4, -1, NULL, 8, 0));
    CALL(syscall(SYS_signalfd4, -1, BAD_POINTER, 8, 0));
    CALL(write(fd, info, sizeof info));
    CALL(lseek(fd, 0, SEEK_SET));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    raise(SIGUSR1);
    CALL(read(fd, BAD_POINTER, sizeof info));
    CALL(read(fd, info, sizeof info));
    sigset_t kill_ = set_of(SIGKILL, SIGSTOP);
    WORKS(signalfd(-1, &kill_, 0));
    char link[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int n = readlink(path, link, sizeof link);
    printf("%.*s\n", n, link);
    return 0;
}
