/* mlock, mlock2, munlock, mlockall, munlockall, MAP_LOCKED: rights, limits, errors. */
#include "fault.h"
#include <sys/resource.h>

#define RW (PROT_READ | PROT_WRITE)

static int all_resident(char *at, int pages) {
    unsigned char vector[64];
    int count = 0;
    if (mincore(at, pages * PAGE, vector) != 0)
        return -1;
    for (int i = 0; i < pages; i++)
        count += vector[i] & 1;
    return count;
}

/* MADV_DONTNEED is refused where pages are locked. */
static char *area;
static void show_locked(void) {
    char line[9] = "";
    for (int i = 0; i < 8; i++)
        strcat(line, madvise(area + i * PAGE, PAGE, MADV_DONTNEED) == 0 ? "-" : errno == EINVAL ? "L" : " ");
    printf("locked %s\n", line);
}

int main(void) {
    catch_faults();
    char *a = area = anonymous(8, RW, MAP_PRIVATE);
    CALL(mlock(a, 4 * PAGE));
    printf("resident %d\n", all_resident(a, 4));
    CALL(mlock(a + 2 * PAGE, 4 * PAGE));
    printf("resident %d\n", all_resident(a, 6));
    CALL(munlock(a + PAGE, PAGE));
    show_locked();
    CALL(mlock(a + 5, 10));
    CALL(mlock(a, 0));
    CALL(mlock(a, -1));
    CALL(mlock((void *)0x1000, PAGE));
    CALL(mlock((void *)0x800000000000, PAGE));
    CALL(mlock((void *)-PAGE, PAGE));
    CALL(munlock((void *)0x1000, PAGE));
    CALL(munlock(a, 0));
    CALL(syscall(SYS_mlock2, a, PAGE, 0));
    CALL(syscall(SYS_mlock2, a, PAGE, 1));
    CALL(syscall(SYS_mlock2, a, PAGE, 2));
    CALL(munlock(a, 8 * PAGE));
    show_locked();
    char *none = anonymous(2, PROT_NONE, MAP_PRIVATE);
    CALL(mlock(none, PAGE));
    CALL(munlock(none, PAGE));
    munmap(a + 3 * PAGE, PAGE);
    CALL(mlock(a + 2 * PAGE, 3 * PAGE));
    CALL(munlock(a + 2 * PAGE, 3 * PAGE));
    CALL(munlock(a, 3 * PAGE));
    show_locked();

    /* Locks end with the mapping, and are not inherited. */
    munmap(area, 8 * PAGE);
    char *b = area = mmap(anonymous(8, RW, MAP_PRIVATE), 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_FIXED, -1, 0);
    printf("resident %d\n", all_resident(b, 4));
    CHILD(show_locked());
    CALL(munmap(b, 2 * PAGE));
    show_locked();
    CALL(munlockall());
    show_locked();

    CALL(mlockall(0));
    CALL(mlockall(8));
    CALL(mlockall(MCL_ONFAULT));
    CALL(mlockall(MCL_FUTURE));
    b = anonymous(4, RW, MAP_PRIVATE);
    printf("resident %d\n", all_resident(b, 4));
    CALL(munlockall());
    b = anonymous(4, RW, MAP_PRIVATE);
    printf("resident %d\n", all_resident(b, 4));
    b = anonymous(4, RW, MAP_PRIVATE);
    CALL(mlockall(MCL_CURRENT));
    printf("resident %d\n", all_resident(b, 4));
    CALL(munlockall());
    show_locked();

    /* Another user has the limit to keep to. */
    CHILD({
        struct rlimit limit = {4 * PAGE, 4 * PAGE};
        setrlimit(RLIMIT_MEMLOCK, &limit);
        setuid(1000);
        char *c = anonymous(8, RW, MAP_PRIVATE);
        CALL(mlock(c, 3 * PAGE));
        CALL(mlock(c, 4 * PAGE));
        CALL(mlock(c + 4 * PAGE, PAGE));
        CALL(munlock(c, PAGE));
        CALL(mlock(c + 4 * PAGE, PAGE));
        HOLDS(mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED && errno == EAGAIN);
        CALL(mlockall(MCL_CURRENT));
        CALL(munlock(c, 8 * PAGE));
        limit.rlim_cur = limit.rlim_max = 0;
        setrlimit(RLIMIT_MEMLOCK, &limit);
        CALL(mlock(c, PAGE));
        CALL(mlockall(MCL_FUTURE));
        HOLDS(mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED && errno == EPERM);
        CALL(munlock(c, PAGE));
        CALL(munlockall());
    });
    return 0;
}
