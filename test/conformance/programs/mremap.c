/* mremap: shrinking, growing in place and elsewhere, to a fixed place, duplicating, MREMAP_DONTUNMAP; errors. */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

#define REMAP(...)                                                                                                     \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        void *remap_result = (void *)syscall(SYS_mremap, __VA_ARGS__);                                                 \
        printf("mremap(%s): %s\n", #__VA_ARGS__, remap_result == MAP_FAILED ? errno_name(errno) : "ok");               \
        fflush(stdout);                                                                                                \
    } while (0)

/* Pages between guards, with contents. */
static char *fresh(int pages, int room) {
    char *at = anonymous(pages + room + 2, PROT_NONE, MAP_PRIVATE) + PAGE;
    mmap(at, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    munmap(at + pages * PAGE, room * PAGE);
    for (int i = 0; i < pages; i++)
        at[i * PAGE] = i + 1;
    return at;
}

static int mapped(char *at) {
    unsigned char there;
    return mincore(at, PAGE, &there) == 0;
}

static int contents(char *at, int pages) {
    int right = 0;
    for (int i = 0; i < pages; i++)
        right += at[i * PAGE] == i + 1;
    return right;
}

int main(void) {
    catch_faults();
    scratch("mremap");
    char *a = fresh(4, 2);
    HOLDS(mremap(a, 4 * PAGE, 2 * PAGE, 0) == a);
    printf("%d mapped %d %d\n", contents(a, 2), mapped(a + PAGE), mapped(a + 2 * PAGE));
    HOLDS(mremap(a, 2 * PAGE, 6 * PAGE, 0) == a);
    printf("%d fresh %d %d\n", contents(a, 6), a[2 * PAGE], a[5 * PAGE]);
    HOLDS(mremap(a, 6 * PAGE, 7 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    char *moved = mremap(a, 6 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
    HOLDS(moved != MAP_FAILED && moved != a);
    printf("%d old mapped %d fresh %d\n", contents(moved, 2), mapped(a), moved[8 * PAGE]);
    HOLDS(mremap(moved, 9 * PAGE, 9 * PAGE, 0) == moved);
    HOLDS(mremap(moved, 9 * PAGE, 8 * PAGE + 1, 0) == moved);

    /* To a place of one's own choice. */
    char *b = fresh(4, 0), *target = anonymous(8, RW, MAP_PRIVATE);
    memset(target, 77, 8 * PAGE);
    HOLDS(mremap(b, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) == target + PAGE);
    printf("%d around %d %d old mapped %d\n", contents(target + PAGE, 4), target[0], target[5 * PAGE], mapped(b));
    b = target + PAGE;
    HOLDS(mremap(b, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 6 * PAGE) == target + 6 * PAGE);
    printf("%d old mapped %d %d\n", contents(target + 6 * PAGE, 2), mapped(b), mapped(b + 2 * PAGE));
    b = target + 6 * PAGE;
    REMAP(b, 2 * PAGE, 2 * PAGE, MREMAP_FIXED, target);
    REMAP(b, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 1);
    REMAP(b, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b + PAGE);
    REMAP(b, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b - PAGE);
    REMAP(b, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 0x800000000000);
    REMAP(b, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, -PAGE);
    REMAP(b + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    REMAP(b, PAGE, 0, MREMAP_MAYMOVE);
    REMAP(b, PAGE, PAGE, 0x10);
    REMAP(b, PAGE, -1l, MREMAP_MAYMOVE);
    REMAP(b, -1l, PAGE, MREMAP_MAYMOVE);
    REMAP(b, -4096l, PAGE, MREMAP_MAYMOVE);
    REMAP(b, 1l << 47, 1l << 48, MREMAP_MAYMOVE);
    REMAP(b, 8 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
    REMAP(0x1000, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    REMAP(0x800000000000, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    /* A private mapping cannot be doubled, a shared one can. */
    REMAP(b, 0, PAGE, MREMAP_MAYMOVE);
    char *shared = anonymous(2, RW, MAP_SHARED);
    shared[0] = 1;
    char *twin = mremap(shared, 0, 2 * PAGE, MREMAP_MAYMOVE);
    HOLDS(twin != MAP_FAILED);
    twin[1] = 2;
    printf("twins %d %d %d %d\n", shared[0], shared[1], twin[0], twin[1]);
    REMAP(shared, 0, PAGE, 0);
    /* Shared memory does not grow by growing its mapping. */
    shared = mremap(shared, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    HOLDS(shared != MAP_FAILED);
    FAULT("within", READ(shared + PAGE));
    FAULT("beyond", READ(shared + 3 * PAGE));

    /* Leaves an empty mapping where it was. */
    char *c = fresh(3, 0);
    moved = mremap(c, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    HOLDS(moved != MAP_FAILED && moved != c);
    printf("%d old %d %d\n", contents(moved, 3), mapped(c), c[PAGE]);
    c[0] = 9;
    printf("apart %d\n", moved[0]);
    REMAP(c, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 1);
    REMAP(c, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, c);
    REMAP(c, 3 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    REMAP(c, 3 * PAGE, 3 * PAGE, MREMAP_DONTUNMAP, 0);

    /* The middle of a mapping; a protection goes along; two mappings at once do not. */
    char *d = fresh(6, 0);
    moved = mremap(d + 2 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    printf("middle %d %d hole %d %d beside %d %d\n", moved[0], moved[PAGE], mapped(d + 2 * PAGE), mapped(d + 3 * PAGE),
           d[PAGE], d[4 * PAGE]);
    mprotect(d, PAGE, PROT_READ);
    moved = mremap(d, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        printf("failed %s\n", errno_name(errno));
    else
        FAULT("still read-only", WRITE(moved + PAGE, 1));
    char *e = fresh(4, 0);
    mprotect(e + 2 * PAGE, 2 * PAGE, PROT_READ);
    REMAP(e, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
    REMAP(e, 4 * PAGE, 3 * PAGE, 0);
    printf("mapped %d %d\n", mapped(e + 2 * PAGE), mapped(e + 3 * PAGE));

    /* A file's: more of the file appears. */
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    char page[PAGE];
    for (int i = 0; i < 4; i++) {
        memset(page, 'a' + i, PAGE);
        write(fd, page, PAGE);
    }
    char *f = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, PAGE);
    f[1] = '!';
    f = mremap(f, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    printf("file %c%c%c %c %c\n", f[0], f[1], f[2], f[PAGE], f[2 * PAGE]);
    f = mremap(f, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    FAULT("past the file", READ(f + 3 * PAGE));
    /* Over many growths. */
    char *g = anonymous(1, RW, MAP_PRIVATE);
    g[0] = 1;
    for (int pages = 1; pages < 256; pages *= 2) {
        g = mremap(g, pages * PAGE, pages * 2 * PAGE, MREMAP_MAYMOVE);
        for (int i = pages; i < 2 * pages; i++)
            g[i * PAGE] = i + 1;
    }
    int right = 0;
    for (int i = 0; i < 256; i++)
        right += g[i * PAGE] == (char)(i + 1);
    printf("grown %d\n", right);
    return 0;
}
