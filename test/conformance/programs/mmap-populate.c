/* MAP_POPULATE, MAP_NORESERVE, private file mappings that are written, mappings over page ends, exec mappings, /proc/self/maps. */
#include "fault.h"
#include <sys/uio.h>

#define RW (PROT_READ | PROT_WRITE)

static void lines_of(char *at, int pages) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], name[256];
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end, offset;
        char rights[8];
        name[0] = 0;
        sscanf(line, "%lx-%lx %7s %lx %*s %*s %255s", &start, &end, rights, &offset, name);
        if (start >= (unsigned long)at + pages * PAGE || end <= (unsigned long)at)
            continue;
        char *base = strrchr(name, '/');
        printf("  +%ld %ld pages %s offset %lx %s\n", (long)(start - (unsigned long)at) / PAGE, (long)(end - start) / PAGE,
               rights, offset, base ? base + 1 : name);
    }
    fclose(maps);
}

static int resident(char *at, int pages) {
    unsigned char vector[64];
    int count = 0;
    mincore(at, pages * PAGE, vector);
    for (int i = 0; i < pages; i++)
        count += vector[i] & 1;
    return count;
}

int main(void) {
    catch_faults();
    scratch("mmap-populate");
    char *a = anonymous(16, RW, MAP_PRIVATE | MAP_POPULATE);
    printf("resident %d\n", resident(a, 16));
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    for (int i = 0; i < 8; i++) {
        char page[PAGE];
        memset(page, 'a' + i, PAGE);
        write(fd, page, PAGE);
    }
    char *b = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    printf("resident %d %c%c\n", resident(b, 8), b[0], b[7 * PAGE]);
    /* Regions as they are split and joined. */
    char *area = anonymous(12, PROT_NONE, MAP_PRIVATE) + PAGE;
    mmap(area, 10 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    lines_of(area, 10);
    mmap(area + 2 * PAGE, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 2 * PAGE);
    lines_of(area, 10);
    mprotect(area + 3 * PAGE, PAGE, RW);
    munmap(area + 6 * PAGE, 2 * PAGE);
    lines_of(area, 10);
    mmap(area + 6 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 6 * PAGE);
    mmap(area + 7 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 7 * PAGE);
    lines_of(area, 10);
    printf("%c%c%c%c%c\n", area[2 * PAGE], area[3 * PAGE], area[4 * PAGE], area[6 * PAGE], area[7 * PAGE]);
    mmap(area, 10 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    lines_of(area, 10);

    /* A private mapping's written pages are its own, the others follow the file. */
    char *private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
    private[0] = 'P';
    private[PAGE] = 'Q';
    pwrite(fd, "01", 2, 0);
    pwrite(fd, "23", 2, PAGE);
    pwrite(fd, "45", 2, 2 * PAGE);
    printf("%c%c %c%c %c%c\n", private[0], private[1], private[PAGE], private[PAGE + 1], private[2 * PAGE], private[2 * PAGE + 1]);
    char text[4] = "";
    pread(fd, text, 2, 0);
    printf("file %s\n", text);
    /* Calls whose buffers are mapped files. */
    char *target = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 4 * PAGE);
    int ends[2];
    pipe(ends);
    write(ends[1], "into the mapping", 16);
    CALL(read(ends[0], target + PAGE - 8, 16));
    char back[17] = "";
    pread(fd, back, 16, 5 * PAGE - 8);
    printf("%s\n", back);
    struct iovec vector[3] = {{target + PAGE - 8, 4}, {private, 1}, {target + PAGE, 4}};
    CALL(writev(ends[1], vector, 3));
    memset(back, 0, sizeof back);
    read(ends[0], back, 9);
    printf("%s\n", back);
    /* A file onto itself. */
    CALL(pwrite(fd, target, 100, 7 * PAGE));
    CALL(pread(fd, target + 100, 100, 4 * PAGE));
    printf("%d\n", memcmp(target, target + 100, 100));
    /* At an offset, beyond the end, with an odd length. */
    char *tail = mmap(NULL, 100, PROT_READ, MAP_PRIVATE, fd, 7 * PAGE);
    printf("%c %c\n", tail[200], tail[PAGE - 1]);
    HOLDS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100 * PAGE) != MAP_FAILED);
    HOLDS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0x7ffffffffffff000) == MAP_FAILED);
    printf("%s\n", errno_name(errno));
    HOLDS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, -PAGE) == MAP_FAILED);
    printf("%s\n", errno_name(errno));
    /* The file stays as long as its mapping, across rename, unlink and a new file of the name. */
    rename("file", "renamed");
    unlink("renamed");
    int other = open("file", O_RDWR | O_CREAT, 0644);
    write(other, "other", 5);
    close(fd);
    printf("%c%c\n", b[0], private[3 * PAGE]);
    CHILD(printf("%c\n", private[3 * PAGE]));
    return 0;
}
