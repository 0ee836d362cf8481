/* munmap: parts, holes, errors; what is mapped there later is fresh. */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

static char *area;
static void map_of(int pages) {
    char line[64];
    for (int i = 0; i < pages; i++) {
        unsigned char there;
        line[i] = mincore(area + i * PAGE, PAGE, &there) == 0 ? 'm' : '-';
    }
    line[pages] = 0;
    printf("%s\n", line);
}

int main(void) {
    catch_faults();
    area = anonymous(12, RW, MAP_PRIVATE);
    for (int i = 0; i < 12; i++)
        area[i * PAGE] = i + 1;
    CALL(munmap(area + 1, PAGE));
    CALL(munmap(area, 0));
    CALL(munmap(area, -1));
    CALL(munmap(area, 1l << 47));
    CALL(munmap((void *)0x7ffffffff000, 2 * PAGE));
    CALL(munmap((void *)0x800000000000, PAGE));
    CALL(munmap((void *)0x1000, PAGE));
    CALL(munmap(NULL, PAGE));
    map_of(12);
    CALL(munmap(area, PAGE));
    map_of(12);
    CALL(munmap(area, PAGE));
    CALL(munmap(area + 11 * PAGE, 1));
    map_of(12);
    CALL(munmap(area + 5 * PAGE, 2 * PAGE));
    map_of(12);
    FAULT("hole", READ(area + 5 * PAGE));
    printf("beside it: %d %d\n", area[4 * PAGE], area[7 * PAGE]);
    CALL(munmap(area + 3 * PAGE, 6 * PAGE));
    map_of(12);
    printf("left: %d %d\n", area[2 * PAGE], area[9 * PAGE]);
    HOLDS(mmap(area + 2 * PAGE, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == area + 2 * PAGE);
    map_of(12);
    printf("fresh: %d %d %d, old: %d %d\n", area[2 * PAGE], area[5 * PAGE], area[9 * PAGE], area[PAGE], area[10 * PAGE]);
    CALL(munmap(area, 12 * PAGE));
    map_of(12);
    FAULT("gone", WRITE(area + 3 * PAGE, 1));
    HOLDS(fault_info.si_addr == area + 3 * PAGE);
    /* A child's unmapping is its own. */
    area = anonymous(2, RW, MAP_PRIVATE);
    area[0] = 9;
    CHILD(signal(SIGSEGV, SIG_DFL); munmap(area, 2 * PAGE); area[0] = 1);
    CHILD({
        signal(SIGSEGV, SIG_DFL);
        munmap(area, PAGE);
        printf("%d\n", area[PAGE]);
        fflush(stdout);
        area[0] = 1;
    });
    printf("still %d\n", area[0]);
    /* Shared memory lives as long as one maps it. */
    char *shared = anonymous(1, RW, MAP_SHARED);
    shared[0] = 5;
    int ends[2];
    pipe(ends);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        read(ends[0], &byte, 1);
        _exit(shared[0]);
    }
    munmap(shared, PAGE);
    write(ends[1], "x", 1);
    int status;
    waitpid(pid, &status, 0);
    show_status("last user", status);
    return 0;
}
