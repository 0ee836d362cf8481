/* RLIMIT_CPU is enforced: SIGXCPU at the soft limit, SIGKILL at the hard one; ITIMER_PROF and ITIMER_VIRTUAL on the way. */
#include "check.h"
#include <sys/resource.h>
#include <sys/time.h>

static volatile sig_atomic_t count;
static void counter(int signal) { count++; }
static volatile long spin;

int main(void) {
    struct rlimit limit = {1, 1};
    struct itimerval timer = {{0, 0}, {0, 20000}}, left;
    CHILD({
        signal(SIGPROF, counter);
        signal(SIGVTALRM, counter);
        CALL(setitimer(ITIMER_PROF, &timer, NULL));
        while (count == 0)
            spin++;
        getitimer(ITIMER_PROF, &left);
        printf("prof %d left %ld %ld\n", count, left.it_value.tv_sec, left.it_value.tv_usec);
        count = 0;
        timer.it_interval.tv_usec = 10000;
        CALL(setitimer(ITIMER_VIRTUAL, &timer, NULL));
        while (count < 3)
            spin++;
        getitimer(ITIMER_VIRTUAL, &left);
        printf("virtual, left at most the interval %d\n", left.it_value.tv_sec == 0 && left.it_value.tv_usec <= 10000);
        /* They do not run while it sleeps. */
        count = 0;
        timer.it_interval.tv_usec = 0;
        setitimer(ITIMER_VIRTUAL, &timer, NULL);
        usleep(40000);
        printf("asleep %d\n", count);
        while (count == 0)
            spin++;
        printf("awake %d\n", count);
    });
    CHILD(setitimer(ITIMER_PROF, &timer, NULL); for (;;) spin++);
    CHILD(setitimer(ITIMER_VIRTUAL, &timer, NULL); for (;;) spin++);
    CHILD({
        struct rusage usage;
        limit.rlim_max = 3;
        setrlimit(RLIMIT_CPU, &limit);
        for (;;)
            spin++;
    });
    return 0;
}
