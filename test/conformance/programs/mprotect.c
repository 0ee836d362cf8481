/* mprotect: splitting, merging, holes, errors; faults that a handler repairs. */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

static char *area;
static void rights_of(int pages) {
    char line[128] = "";
    fault_expected = 1;
    for (int i = 0; i < pages; i++) {
        volatile int r = 0, w = 0;
        if (sigsetjmp(fault_jump, 1) == 0) {
            READ(area + i * PAGE);
            r = 1;
        }
        if (sigsetjmp(fault_jump, 1) == 0) {
            WRITE(area + i * PAGE, area[i * PAGE]);
            w = 1;
        }
        strcat(line, r ? w ? "w" : "r" : w ? "?" : "-");
    }
    fault_expected = 0;
    printf("%s\n", line);
}

static int mapped_lines(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int count = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        sscanf(line, "%lx-%lx", &start, &end);
        if (start < (unsigned long)area + 8 * PAGE && end > (unsigned long)area)
            count++;
    }
    fclose(maps);
    return count;
}

static volatile int repairs;
static void repair(int signal, siginfo_t *info, void *context) {
    repairs++;
    char *page = (char *)((unsigned long)info->si_addr & -PAGE);
    if (mprotect(page, PAGE, RW) != 0)
        _exit(77);
}

int main(void) {
    catch_faults();
    area = anonymous(10, PROT_NONE, MAP_PRIVATE) + PAGE;
    CALL(mprotect(area, 8 * PAGE, RW));
    for (int i = 0; i < 8; i++)
        area[i * PAGE] = i + 1;
    rights_of(8);
    CALL(mprotect(area + 2 * PAGE, PAGE, PROT_READ));
    rights_of(8);
    printf("regions %d\n", mapped_lines());
    CALL(mprotect(area + 3 * PAGE, 2 * PAGE, PROT_NONE));
    rights_of(8);
    printf("regions %d\n", mapped_lines());
    CALL(mprotect(area + 3 * PAGE, PAGE, PROT_READ));
    rights_of(8);
    printf("regions %d\n", mapped_lines());
    CALL(mprotect(area + PAGE, 6 * PAGE, PROT_READ));
    rights_of(8);
    printf("regions %d\n", mapped_lines());
    CALL(mprotect(area, 8 * PAGE, RW));
    rights_of(8);
    printf("regions %d\n", mapped_lines());
    int right = 0;
    for (int i = 0; i < 8; i++)
        right += area[i * PAGE] == i + 1;
    printf("contents %d\n", right);

    CALL(mprotect(area + 1, PAGE, RW));
    CALL(mprotect(area, 0, RW));
    CALL(mprotect(area + 1, 0, RW));
    CALL(mprotect(area, 1, PROT_READ));
    rights_of(2);
    CALL(mprotect(area, 8 * PAGE, RW));
    CALL(mprotect(area, PAGE, 0x40));
    CALL(mprotect(area, PAGE, RW | PROT_GROWSDOWN));
    CALL(mprotect(area, PAGE, RW | PROT_GROWSUP));
    CALL(mprotect(area, PAGE, RW | PROT_GROWSUP | PROT_GROWSDOWN));
    CALL(mprotect(area, -1, RW));
    CALL(mprotect(NULL, PAGE, RW));
    CALL(mprotect((void *)0x1000, 0, RW));
    CALL(mprotect((void *)0x800000000000, PAGE, RW));
    /* A hole: what comes before it is changed. */
    munmap(area + 4 * PAGE, PAGE);
    CALL(mprotect(area + 2 * PAGE, 4 * PAGE, PROT_READ));
    rights_of(8);
    CALL(mprotect(area + 4 * PAGE, 2 * PAGE, PROT_READ));
    rights_of(8);

    /* Code becomes executable, and not. */
    char *code = anonymous(1, RW, MAP_PRIVATE);
    memcpy(code, "\xb8\x2a\0\0\0\xc3", 6);
    FAULT("data", ((void (*)(void))code)());
    CALL(mprotect(code, PAGE, PROT_READ | PROT_EXEC));
    printf("called %d\n", ((int (*)(void))code)());
    FAULT("code written", WRITE(code, 1));
    CALL(mprotect(code, PAGE, RW));
    code[1] = 43;
    FAULT("data again", ((void (*)(void))code)());
    CALL(mprotect(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
    printf("called %d\n", ((int (*)(void))code)());
    code[1] = 44;
    printf("called %d\n", ((int (*)(void))code)());

    /* A call into a protected buffer. */
    char *guarded = anonymous(2, RW, MAP_PRIVATE);
    mprotect(guarded + PAGE, PAGE, PROT_READ);
    int ends[2];
    pipe(ends);
    write(ends[1], "0123456789", 10);
    CALL(read(ends[0], guarded + PAGE, 4));
    CALL(read(ends[0], guarded + PAGE - 4, 10));
    CALL(write(ends[1], guarded + PAGE, 4));
    mprotect(guarded + PAGE, PAGE, PROT_NONE);
    CALL(write(ends[1], guarded + PAGE, 4));
    CALL(write(ends[1], guarded + PAGE - 2, 4));

    /* A handler that repairs what it caught, and goes back. */
    struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    char *lazy = anonymous(20, PROT_NONE, MAP_PRIVATE);
    for (int i = 0; i < 20; i++)
        *(volatile long *)(lazy + i * PAGE + 8 * i) = i;
    printf("repairs %d\n", repairs);
    *(volatile long *)(lazy + PAGE - 4) = -1;
    printf("repairs %d\n", repairs);
    mprotect(lazy, 20 * PAGE, PROT_NONE);
    *(volatile long *)(lazy + PAGE - 4) = -1;
    printf("repairs %d\n", repairs);
    mprotect(lazy, 20 * PAGE, PROT_READ);
    /* A string operation is gone on with where it stood. */
    repairs = 0;
    memset(lazy, 'x', 20 * PAGE);
    right = 0;
    for (int i = 0; i < 20 * PAGE; i++)
        right += lazy[i] == 'x';
    printf("repairs %d right %d\n", repairs, right);
    mprotect(lazy, 20 * PAGE, PROT_READ);
    repairs = 0;
    char *to = lazy + 100;
    long left = 5 * PAGE;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(left) : "a"('y') : "memory");
    printf("repairs %d left %ld moved %ld\n", repairs, left, (long)(to - lazy - 100));
    CHILD({
        char *none = anonymous(1, PROT_NONE, MAP_PRIVATE);
        signal(SIGSEGV, SIG_DFL);
        none[0] = 1;
    });
    return 0;
}
