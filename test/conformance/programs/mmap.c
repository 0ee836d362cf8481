/* mmap of anonymous memory: contents, places, flags, errors. */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void) {
    catch_faults();
    MAPS(0, PAGE, RW, PRIVATE, -1, 0);
    MAPS(0, 1, RW, PRIVATE, -1, 0);
    MAPS(0, 0, RW, PRIVATE, -1, 0);
    MAPS(0, PAGE, RW, MAP_ANONYMOUS, -1, 0);
    MAPS(0, PAGE, RW, MAP_ANONYMOUS | MAP_PRIVATE | MAP_SHARED, -1, 0);
    MAPS(0, PAGE, RW, MAP_ANONYMOUS | 0xc, -1, 0);
    MAPS(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MAPS(0, PAGE, RW, PRIVATE, 99, 0);
    MAPS(0, PAGE, RW, PRIVATE, -1, 1);
    MAPS(0, PAGE, RW, PRIVATE, -1, PAGE);
    MAPS(0, PAGE, RW, MAP_PRIVATE, -1, 0);
    MAPS(0, -1l, RW, PRIVATE, -1, 0);
    MAPS(0, 1l << 47, RW, PRIVATE, -1, 0);
    MAPS(0, -4096l, RW, PRIVATE, -1, 0);
    MAPS(0, PAGE, PROT_NONE, PRIVATE, -1, 0);
    MAPS(0, PAGE, PROT_WRITE, PRIVATE, -1, 0);
    MAPS(0, PAGE, PROT_EXEC, PRIVATE, -1, 0);
    MAPS(0, PAGE, 0x1000000 | RW, PRIVATE, -1, 0);
    MAPS(1, PAGE, RW, PRIVATE, -1, 0);
    MAPS(1, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
    MAPS(0x7ffffffff000, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
    MAPS(0x800000000000, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
    MAPS(0xffffffffff000000, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0);
    MAPS(0xffffffffff000000, PAGE, RW, PRIVATE, -1, 0);
    MAPS(0, PAGE, RW, PRIVATE | MAP_NORESERVE | MAP_STACK | MAP_POPULATE | MAP_NONBLOCK | MAP_DENYWRITE | MAP_EXECUTABLE, -1, 0);
    MAPS(0, PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0);
    MAPS(0, PAGE, RW, PRIVATE | MAP_32BIT, -1, 0);
    MAPS(0, PAGE, RW, PRIVATE | MAP_GROWSDOWN, -1, 0);
    MAPS(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
    MAPS(0, PAGE, RW, PRIVATE | MAP_HUGETLB, -1, 0);

    char *low = mmap(NULL, PAGE, RW, PRIVATE | MAP_32BIT, -1, 0);
    HOLDS((unsigned long)low < 1ul << 31);

    /* Zero, and one's own. */
    char *a = anonymous(16, RW, MAP_PRIVATE);
    int zeros = 0;
    for (int i = 0; i < 16 * PAGE; i++)
        zeros += a[i] == 0;
    printf("zeros %d\n", zeros);
    memset(a, 7, 16 * PAGE);

    /* A fixed mapping replaces what is there, and only that. */
    HOLDS(mmap(a + 4 * PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == a + 4 * PAGE);
    printf("around: %d %d %d %d\n", a[4 * PAGE - 1], a[4 * PAGE], a[6 * PAGE - 1], a[6 * PAGE]);
    HOLDS(mmap(a + 8 * PAGE, 2 * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == a + 8 * PAGE);
    FAULT("read-only", WRITE(a + 8 * PAGE, 1));
    HOLDS(fault_info.si_addr == a + 8 * PAGE);
    FAULT("end", WRITE(a + 10 * PAGE, 1));
    HOLDS(mmap(a + 10 * PAGE, PAGE, PROT_NONE, PRIVATE | MAP_FIXED, -1, 0) == a + 10 * PAGE);
    FAULT("none", READ(a + 10 * PAGE + 5));
    HOLDS(fault_info.si_addr == a + 10 * PAGE + 5);
    /* MAP_FIXED_NOREPLACE does not. */
    HOLDS(mmap(a, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    HOLDS(mmap(a + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    munmap(a + PAGE, PAGE);
    HOLDS(mmap(a + PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    HOLDS(mmap(a + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == a + PAGE);
    printf("new: %d\n", a[PAGE]);
    HOLDS(mmap(a + 1, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EINVAL);
    /* A hint that is free is taken, rounded to a page; one that is not is not. */
    munmap(a + 12 * PAGE, 2 * PAGE);
    HOLDS(mmap(a + 12 * PAGE, PAGE, RW, PRIVATE, -1, 0) == a + 12 * PAGE);
    char *elsewhere = mmap(a, PAGE, RW, PRIVATE, -1, 0);
    HOLDS(elsewhere != a && elsewhere != MAP_FAILED);
    HOLDS(((unsigned long)elsewhere & 4095) == 0);
    HOLDS(a[0] == 7);

    /* Protections as the processor has them: writable is readable, executable is readable. */
    char *w = anonymous(1, PROT_WRITE, MAP_PRIVATE);
    FAULT("write-only, written", WRITE(w, 5));
    FAULT("write-only, read", READ(w));
    char *x = anonymous(1, PROT_READ | PROT_EXEC, MAP_PRIVATE);
    FAULT("executable, written", WRITE(x, 5));
    char *code = anonymous(1, RW, MAP_PRIVATE);
    memcpy(code, "\xb8\x2a\0\0\0\xc3", 6);
    FAULT("not executable", ((void (*)(void))code)());
    HOLDS(fault_info.si_addr == code);

    /* Large and sparse. */
    char *large = anonymous(1 << 18, RW, MAP_PRIVATE | MAP_NORESERVE);
    for (long i = 0; i < 1 << 18; i += 1 << 14)
        large[i * PAGE] = i >> 14;
    int right = 0;
    for (long i = 0; i < 1 << 18; i += 1 << 14)
        right += large[i * PAGE] == i >> 14 && large[(i + 1) * PAGE] == 0;
    printf("sparse %d\n", right);
    CALL(munmap(large, 1l << 30));
    FAULT("unmapped", READ(large));
    /* Many small ones. */
    char *small[300];
    for (int i = 0; i < 300; i++) {
        small[i] = anonymous(1 + i % 3, i % 2 ? RW : PROT_READ, MAP_PRIVATE);
        if (i % 2)
            small[i][0] = i;
    }
    right = 0;
    for (int i = 0; i < 300; i++)
        right += small[i][0] == (i % 2 ? (char)i : 0);
    printf("small %d\n", right);
    for (int i = 0; i < 300; i++)
        munmap(small[i], (1 + i % 3) * PAGE);
    FAULT("across two mappings", {
        char *two = anonymous(2, RW, MAP_PRIVATE);
        mprotect(two + PAGE, PAGE, RW | PROT_EXEC);
        *(volatile long *)(two + PAGE - 4) = 0x1122334455667788;
        printf("%lx\n", *(volatile long *)(two + PAGE - 4));
    });
    return 0;
}
