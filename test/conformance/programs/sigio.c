/* Signal-driven I/O: O_ASYNC, F_SETOWN, F_SETSIG, F_SETOWN_EX, on pipes. */
#include "check.h"
#include <poll.h>
#include <pthread.h>

static volatile int count, code, band, fd_told, by;
static void note(int signal, siginfo_t *info, void *context) {
    count++;
    code = info->si_code;
    band = info->si_band;
    fd_told = info->si_fd;
    by = gettid();
}

static void plain(int signal) { count++; }

static volatile pid_t tid;
static volatile int done;
static void *other(void *argument) {
    tid = gettid();
    while (!done)
        usleep(500);
    return NULL;
}

int main(void) {
    int ends[2];
    char byte;
    pipe(ends);
    struct sigaction action = {.sa_handler = plain};
    sigaction(SIGIO, &action, NULL);
    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGRTMIN, &action, NULL);
    CALL(fcntl(ends[0], F_GETSIG));
    CALL(fcntl(ends[0], F_GETOWN));
    CALL(fcntl(ends[0], F_SETSIG, 65));
    CALL(fcntl(ends[0], F_SETSIG, -1));
    CALL(fcntl(ends[0], F_SETOWN, 0x3ffffff));
    /* Without an owner nobody hears. */
    CALL(fcntl(ends[0], F_SETFL, O_ASYNC));
    HOLDS(fcntl(ends[0], F_GETFL) & O_ASYNC);
    write(ends[1], "x", 1);
    read(ends[0], &byte, 1);
    printf("count %d\n", count);
    CALL(fcntl(ends[0], F_SETOWN, getpid()));
    HOLDS(fcntl(ends[0], F_GETOWN) == getpid());
    write(ends[1], "x", 1);
    printf("count %d\n", count);
    read(ends[0], &byte, 1);
    CALL(fcntl(ends[0], F_SETSIG, SIGRTMIN));
    HOLDS(fcntl(ends[0], F_GETSIG) == SIGRTMIN);
    count = 0;
    write(ends[1], "x", 1);
    printf("count %d code %d band %#x\n", count, code == POLL_IN, band);
    HOLDS(fd_told == ends[0]);
    read(ends[0], &byte, 1);
    CALL(fcntl(ends[0], F_SETFL, 0));
    write(ends[1], "x", 1);
    printf("count %d\n", count);
    read(ends[0], &byte, 1);
    /* A thread. */
    pthread_t thread;
    pthread_create(&thread, NULL, other, NULL);
    while (!tid)
        usleep(500);
    struct f_owner_ex owner = {F_OWNER_TID, tid};
    CALL(fcntl(ends[0], F_SETOWN_EX, &owner));
    owner.type = 9;
    CALL(fcntl(ends[0], F_SETOWN_EX, &owner));
    CALL(fcntl(ends[0], F_GETOWN_EX, &owner));
    HOLDS(owner.type == F_OWNER_TID && owner.pid == tid);
    fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    write(ends[1], "x", 1);
    while (count < 2)
        usleep(500);
    HOLDS(by == tid);
    done = 1;
    pthread_join(thread, NULL);
    read(ends[0], &byte, 1);
    /* The writing end, when there is room again. */
    count = 0;
    fcntl(ends[1], F_SETOWN, getpid());
    fcntl(ends[1], F_SETSIG, SIGRTMIN);
    fcntl(ends[0], F_SETFL, 0);
    fcntl(ends[1], F_SETFL, O_ASYNC | O_NONBLOCK);
    static char page[65536];
    CALL(write(ends[1], page, sizeof page));
    printf("count %d\n", count);
    CALL(read(ends[0], page, sizeof page));
    HOLDS(count > 0);
    printf("code %d band %#x\n", code == POLL_OUT, band);
    return 0;
}
