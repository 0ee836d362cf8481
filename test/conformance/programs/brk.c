/* brk: growth, shrinking, refusals; the heap across fork; limits. */
#include "fault.h"
#include <sys/resource.h>

static char *now(void) { return (char *)syscall(SYS_brk, 0); }
static char *set(char *to) { return (char *)syscall(SYS_brk, to); }

int main(void) {
    setvbuf(stdout, malloc(4096), _IOFBF, 4096);
    catch_faults();
    char *start = (char *)(((unsigned long)now() + PAGE - 1) & -PAGE);
    HOLDS(set(start) == start);
    HOLDS(now() == start);
    FAULT("at the break", WRITE(start, 1));
    HOLDS(set(start + 1) == start + 1);
    FAULT("one byte more", WRITE(start, 1));
    FAULT("to the end of the page", WRITE(start + PAGE - 1, 1));
    FAULT("beyond the page", WRITE(start + PAGE, 1));
    HOLDS(set(start + 10 * PAGE) == start + 10 * PAGE);
    int zeros = 0;
    for (int i = 1; i < 10; i++)
        zeros += start[i * PAGE] == 0;
    printf("zeros %d, kept %d\n", zeros, start[0]);
    memset(start, 5, 10 * PAGE);
    HOLDS(set(start + 4 * PAGE) == start + 4 * PAGE);
    FAULT("given back", READ(start + 4 * PAGE));
    HOLDS(set(start + 6 * PAGE) == start + 6 * PAGE);
    printf("kept %d fresh %d\n", start[4 * PAGE - 1], start[4 * PAGE]);
    /* What cannot be had leaves the break as it is. */
    char *at = now();
    HOLDS(set((char *)0x1000) == at);
    HOLDS(set((char *)-1) == at);
    HOLDS(set((char *)0x7fffffffffff) == at);
    HOLDS(set((char *)(1ul << 63)) == at);
    /* A mapping in the way. */
    char *block = mmap(at + 8 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    HOLDS(block == at + 8 * PAGE);
    HOLDS(set(at + 8 * PAGE) == at || now() == at + 8 * PAGE);
    set(at);
    HOLDS(set(at + 10 * PAGE) == at);
    munmap(block, PAGE);
    HOLDS(set(at + 10 * PAGE) == at + 10 * PAGE);
    set(at);
    /* A hole in the heap is no obstacle to shrinking. */
    munmap(start + PAGE, PAGE);
    HOLDS(set(start) == start);
    HOLDS(set(start + 3 * PAGE) == start + 3 * PAGE);
    printf("fresh %d\n", start[PAGE]);
    /* The child's is its own. */
    start[0] = 3;
    at = now();
    CHILD({
        HOLDS(now() == at);
        HOLDS(set(at + PAGE) == at + PAGE);
        at[0] = 1;
        start[0] = 4;
        HOLDS(set(start) == start);
    });
    HOLDS(now() == at);
    printf("kept %d\n", start[0]);
    FAULT("the child's", READ(at));
    /* RLIMIT_DATA, RLIMIT_AS. */
    CHILD({
        struct rlimit limit = {1 << 20, 1 << 20};
        setrlimit(RLIMIT_DATA, &limit);
        HOLDS(set(at + (2 << 20)) == at);
        HOLDS(set(at + PAGE) == at + PAGE);
        HOLDS(set(at) == at);
    });
    CHILD({
        struct rlimit limit = {0, RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &limit);
        HOLDS(set(at + PAGE) == at);
        HOLDS(set(at - PAGE) == at - PAGE);
    });
    HOLDS(sbrk(0) != (void *)-1);
    /* Eight megabytes. */
    HOLDS(set(at + (8 << 20)) == at + (8 << 20));
    for (long i = 0; i < 8 << 20; i += PAGE)
        at[i] = i >> 12;
    int right = 0;
    for (long i = 0; i < 8 << 20; i += PAGE)
        right += at[i] == (char)(i >> 12);
    printf("right %d\n", right);
    return 0;
}
