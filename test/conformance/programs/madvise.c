/* madvise, mincore, msync: what they change, and errors. */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

static void resident(const char *label, char *at, int pages) {
    unsigned char vector[64];
    char line[65] = "";
    if (mincore(at, pages * PAGE, vector) != 0) {
        printf("%s: %s\n", label, errno_name(errno));
        return;
    }
    for (int i = 0; i < pages; i++)
        line[i] = vector[i] & 1 ? '1' : '0';
    printf("%s: %s\n", label, line);
}

int main(void) {
    catch_faults();
    scratch("madvise");
    char *a = anonymous(8, RW, MAP_PRIVATE);
    madvise(a, 8 * PAGE, MADV_NOHUGEPAGE);
    resident("untouched", a, 8);
    for (int i = 0; i < 8; i += 2)
        a[i * PAGE] = i + 1;
    resident("every other", a, 8);
    READ(a + PAGE);
    CALL(madvise(a + 2 * PAGE, 4 * PAGE, MADV_DONTNEED));
    printf("contents %d %d %d %d\n", a[0], a[2 * PAGE], a[4 * PAGE], a[6 * PAGE]);
    static const struct { int advice; const char *name; } advices[] = {
        {MADV_NORMAL, "NORMAL"}, {MADV_RANDOM, "RANDOM"}, {MADV_SEQUENTIAL, "SEQUENTIAL"}, {MADV_WILLNEED, "WILLNEED"},
        {MADV_DONTNEED, "DONTNEED"}, {MADV_REMOVE, "REMOVE"}, {MADV_DONTFORK, "DONTFORK"}, {MADV_DOFORK, "DOFORK"},
        {MADV_DONTDUMP, "DONTDUMP"}, {MADV_DODUMP, "DODUMP"}, {MADV_WIPEONFORK, "WIPEONFORK"},
        {MADV_KEEPONFORK, "KEEPONFORK"}, {MADV_COLD, "COLD"}, {MADV_FREE, "FREE"}, {7, "7"}, {99, "99"}, {-1, "-1"}};
    char *shared = anonymous(4, RW, MAP_SHARED);
    for (unsigned i = 0; i < sizeof advices / sizeof *advices; i++) {
        printf("MADV_%s:", advices[i].name);
        printf(" %s", madvise(a + 7 * PAGE, PAGE, advices[i].advice) == 0 ? "ok" : errno_name(errno));
        if (advices[i].advice != MADV_REMOVE)
            printf(", shared %s", madvise(shared, PAGE, advices[i].advice) == 0 ? "ok" : errno_name(errno));
        printf("\n");
    }
    CALL(madvise(a + 1, PAGE, MADV_NORMAL));
    CALL(madvise(a, 0, MADV_NORMAL));
    CALL(madvise(a, 0, 99));
    CALL(madvise(a, 1, MADV_NORMAL));
    CALL(madvise(a, -1, MADV_NORMAL));
    CALL(madvise(a, 1l << 48, MADV_NORMAL));
    CALL(madvise((void *)0x1000, PAGE, MADV_NORMAL));
    CALL(madvise((void *)0x800000000000, PAGE, MADV_NORMAL));
    CALL(madvise((void *)-PAGE, PAGE, MADV_NORMAL));
    CALL(madvise((void *)-PAGE, 2 * PAGE, MADV_NORMAL));
    /* Over a hole: done all the same, and reported. */
    a[PAGE] = 5;
    a[3 * PAGE] = 6;
    munmap(a + 2 * PAGE, PAGE);
    CALL(madvise(a, 4 * PAGE, MADV_DONTNEED));
    printf("contents %d %d\n", a[PAGE], a[3 * PAGE]);

    /* Shared memory keeps its contents; a private file mapping has the file's again. */
    shared[0] = 7;
    CALL(madvise(shared, PAGE, MADV_DONTNEED));
    printf("shared %d\n", shared[0]);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    write(fd, "file's own", 10);
    char *file = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    file[0] = '!';
    CALL(madvise(file, PAGE, MADV_DONTNEED));
    printf("file %.10s\n", file);
    CALL(madvise(file, PAGE, MADV_FREE));
    CALL(madvise(file, PAGE, MADV_WIPEONFORK));

    /* fork. */
    char *b = anonymous(4, RW, MAP_PRIVATE);
    memset(b, 9, 4 * PAGE);
    CALL(madvise(b + PAGE, PAGE, MADV_WIPEONFORK));
    CALL(madvise(b + 2 * PAGE, PAGE, MADV_DONTFORK));
    CHILD({
        printf("child: %d %d %d\n", b[0], b[PAGE], b[3 * PAGE]);
        FAULT("not forked", READ(b + 2 * PAGE));
        CHILD(printf("grandchild: %d %d\n", b[0], b[PAGE]));
    });
    printf("parent: %d %d %d\n", b[PAGE], b[2 * PAGE], b[3 * PAGE]);
    CALL(madvise(b + PAGE, 2 * PAGE, MADV_KEEPONFORK));
    CALL(madvise(b + PAGE, 2 * PAGE, MADV_DOFORK));
    CHILD(printf("child: %d %d %d\n", b[0], b[PAGE], b[2 * PAGE]));

    /* mincore. */
    unsigned char vector[4];
    CALL(mincore(b + 1, PAGE, vector));
    CALL(mincore(b, 0, vector));
    CALL(mincore(b, 4 * PAGE, UNMAPPED));
    CALL(mincore(b, 4 * PAGE, NULL));
    CALL(mincore(b, 4 * PAGE, BAD_POINTER));
    CALL(mincore(b, -1, vector));
    CALL(mincore((void *)0x1000, PAGE, vector));
    CALL(mincore((void *)0x800000000000, PAGE, vector));
    CALL(mincore(b, 3 * PAGE + 1, vector));
    resident("all", b, 4);
    munmap(b + PAGE, PAGE);
    resident("hole", b, 4);

    /* msync. */
    char *mapped = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    memcpy(mapped, "changed", 7);
    CALL(msync(mapped, PAGE, MS_SYNC));
    CALL(msync(mapped, PAGE, MS_ASYNC));
    CALL(msync(mapped, PAGE, MS_INVALIDATE));
    CALL(msync(mapped, PAGE, 0));
    CALL(msync(mapped, PAGE, MS_SYNC | MS_ASYNC));
    CALL(msync(mapped, PAGE, 8));
    CALL(msync(mapped + 1, PAGE, MS_SYNC));
    CALL(msync(mapped, 0, MS_SYNC));
    CALL(msync(mapped, -1, MS_SYNC));
    CALL(msync((void *)0x1000, PAGE, MS_SYNC));
    CALL(msync((void *)0x1000, PAGE, MS_ASYNC));
    CALL(msync((void *)0x800000000000, PAGE, MS_SYNC));
    CALL(msync(b, 3 * PAGE, MS_SYNC));
    CALL(mlock(mapped, PAGE));
    CALL(msync(mapped, PAGE, MS_INVALIDATE | MS_SYNC));
    CALL(madvise(mapped, PAGE, MADV_DONTNEED));
    CALL(munlock(mapped, PAGE));
    char text[11] = "";
    pread(fd, text, 10, 0);
    printf("%s\n", text);
    return 0;
}
