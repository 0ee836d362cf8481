/* POSIX message queues: opening, order by priority, limits, timeouts, attributes, notification, permissions. */
#include "check.h"
#include <mqueue.h>
#include <poll.h>

static char buf[9000];
static mqd_t d;

static void take(const char *label, int length) {
    unsigned priority = 99;
    memset(buf, 0, sizeof buf);
    errno = 0;
    long n = mq_receive(d, buf, length, &priority);
    if (n < 0)
        printf("%s: %s\n", label, errno_name(errno));
    else
        printf("%s: %ld '%s' priority %u\n", label, n, buf, priority);
}

static void attributes(const char *label) {
    struct mq_attr a;
    if (mq_getattr(d, &a) != 0)
        printf("%s: %s\n", label, errno_name(errno));
    else
        printf("%s: flags %lo of %ld messages of %ld bytes, %ld now\n", label, a.mq_flags, a.mq_maxmsg, a.mq_msgsize,
               a.mq_curmsgs);
}

static void nothing(int signal) {}
static volatile int told;
static void tell(int signal) { told = signal; }

static void readiness(const char *label) {
    struct pollfd p = {d, POLLIN | POLLOUT};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", label, n, p.revents);
}

int main(void) {
    struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 20};
    const char *name = "/conformance-queue";
    mq_unlink(name);
    CALL(mq_open(name, O_RDWR));
    WORKS(d = mq_open(name, O_RDWR | O_CREAT, 0640, &a));
    CALL(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0640, &a));
    CALL(mq_open("/a/b", O_RDWR | O_CREAT, 0640, &a));
    CALL(mq_open("/", O_RDWR | O_CREAT, 0640, &a));
    CALL(mq_open("bare", O_RDWR | O_CREAT, 0640, &a));
    a.mq_maxmsg = 0;
    CALL(mq_open("/conformance-other", O_RDWR | O_CREAT, 0640, &a));
    a.mq_maxmsg = 3, a.mq_msgsize = -1;
    CALL(mq_open("/conformance-other", O_RDWR | O_CREAT, 0640, &a));
    attributes("fresh");
    readiness("empty");
    CALL(mq_send(d, "low", 3, 1));
    CALL(mq_send(d, "high", 4, 7));
    CALL(mq_send(d, "low again", 9, 1));
    attributes("full");
    readiness("full");
    struct timespec past = {1, 0}, bad = {1, 2000000000};
    CALL(mq_timedsend(d, "x", 1, 0, &past));
    CALL(mq_timedsend(d, "x", 1, 0, &bad));
    take("too short", 19);
    take("first", 20);
    take("second", 100);
    take("third", 100);
    CALL(mq_timedreceive(d, buf, 20, NULL, &past));
    CALL(mq_timedreceive(d, buf, 20, NULL, &bad));
    CALL(mq_send(d, "far too long to be sent", 23, 0));
    CALL(mq_send(d, "x", 1, 32768));
    CALL(mq_send(d, "top", 3, 32767));
    CALL(mq_send(d, "", 0, 0));
    take("top", 20);
    take("empty", 20);
    CALL(mq_send(99, "x", 1, 0));
    CALL(mq_send(1, "x", 1, 0));
    CALL(mq_getattr(1, &a));
    a.mq_flags = O_NONBLOCK;
    CALL(mq_setattr(d, &a, NULL));
    attributes("nonblocking");
    take("none", 20);
    a.mq_flags = O_APPEND;
    CALL(mq_setattr(d, &a, NULL));
    a.mq_flags = 0;
    CALL(mq_setattr(d, &a, NULL));

    puts("-- waiting");
    fflush(stdout);
    if (fork() == 0) {
        usleep(30000);
        mq_send(d, "later", 5, 2);
        _exit(0);
    }
    take("waited", 20);
    wait(NULL);
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    take("interrupted", 20);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000)
        soon.tv_sec++, soon.tv_nsec -= 1000000000;
    CALL(mq_timedreceive(d, buf, 20, NULL, &soon));

    puts("-- notification");
    action.sa_handler = tell;
    sigaction(SIGUSR1, &action, NULL);
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    CALL(mq_notify(d, &e));
    CALL(mq_notify(d, &e));
    CALL(mq_send(d, "told", 4, 0));
    for (int i = 0; i < 100 && !told; i++)
        usleep(1000);
    printf("told %d\n", told == SIGUSR1);
    told = 0;
    CALL(mq_send(d, "not told", 8, 0));
    usleep(20000);
    printf("told %d\n", told);
    CALL(mq_notify(d, &e));
    CALL(mq_notify(d, NULL));
    e.sigev_signo = 99;
    CALL(mq_notify(d, &e));
    e.sigev_notify = 77;
    CALL(mq_notify(d, &e));

    puts("-- rights");
    CHILD(become(1000, 1000); CALL(mq_open(name, O_RDONLY)); CALL(mq_unlink(name)); a.mq_maxmsg = 11; a.mq_msgsize = 10;
          CALL(mq_open("/conformance-mine", O_RDWR | O_CREAT, 0600, &a)));
    mqd_t reader = mq_open(name, O_RDONLY);
    CALL(mq_send(reader, "x", 1, 0));
    mqd_t writer = mq_open(name, O_WRONLY);
    CALL(mq_receive(writer, buf, 20, NULL));
    CALL(fcntl(writer, F_GETFD));
    CALL(mq_unlink(name));
    CALL(mq_unlink(name));
    attributes("unlinked");
    take("still there", 20);
    CALL(mq_close(d));
    CALL(mq_close(d));
    return 0;
}
