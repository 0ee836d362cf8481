/* vdso(7): the functions that the kernel gives every program, against the system calls they stand for. */
#include "check.h"
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/time.h>

static Elf64_Sym *symbols;
static const char *strings;
static unsigned *hash;
static unsigned short *versions;
static Elf64_Verdef *definitions;

static const char *version_of(unsigned index) {
    for (Elf64_Verdef *d = definitions;; d = (void *)((char *)d + d->vd_next)) {
        Elf64_Verdaux *name = (void *)((char *)d + d->vd_aux);
        if ((d->vd_ndx & 0x7fff) == (versions[index] & 0x7fff))
            return strings + name->vda_name;
        if (d->vd_next == 0)
            return "none";
    }
}

/* As a C library looks a name up, but without a hash. */
static void *find(char *image, const char *name) {
    for (unsigned i = 1; i < hash[1]; i++)
        if (strcmp(strings + symbols[i].st_name, name) == 0) {
            printf("%s: type %d, version %s\n", name, ELF64_ST_TYPE(symbols[i].st_info), version_of(i));
            return image + symbols[i].st_value;
        }
    printf("%s: not there\n", name);
    return NULL;
}

static int (*vdso_gettime)(clockid_t, struct timespec *);
static int (*vdso_getres)(clockid_t, struct timespec *);
static int (*vdso_timeofday)(struct timeval *, struct timezone *);
static time_t (*vdso_time)(time_t *);
static int (*vdso_getcpu)(unsigned *, unsigned *, void *);

static long long nanoseconds(struct timespec t) { return t.tv_sec * 1000000000ll + t.tv_nsec; }

/* The function's time lies between two of the system call. */
static void between(const char *name, clockid_t clock) {
    struct timespec before, now, after;
    int good = 1;
    for (int i = 0; i < 100; i++) {
        syscall(SYS_clock_gettime, clock, &before);
        if (vdso_gettime(clock, &now) != 0)
            good = 0;
        syscall(SYS_clock_gettime, clock, &after);
        if (nanoseconds(now) < nanoseconds(before) || nanoseconds(now) > nanoseconds(after) || now.tv_nsec < 0 ||
            now.tv_nsec > 999999999)
            good = 0;
    }
    printf("%s agrees: %d\n", name, good);
}

int main(void) {
    char *image = (char *)getauxval(AT_SYSINFO_EHDR);
    HOLDS(image != NULL && memcmp(image, "\177ELF\2\1\1", 7) == 0);
    Elf64_Ehdr *header = (void *)image;
    Elf64_Phdr *segments = (void *)(image + header->e_phoff);
    Elf64_Dyn *dynamic = NULL;
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_DYNAMIC)
            dynamic = (void *)(image + segments[i].p_vaddr);
    const char *soname = NULL;
    for (; dynamic->d_tag; dynamic++) {
        char *at = image + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_HASH)
            hash = (void *)at;
        if (dynamic->d_tag == DT_SYMTAB)
            symbols = (void *)at;
        if (dynamic->d_tag == DT_STRTAB)
            strings = at;
        if (dynamic->d_tag == DT_VERSYM)
            versions = (void *)at;
        if (dynamic->d_tag == DT_VERDEF)
            definitions = (void *)at;
        if (dynamic->d_tag == DT_SONAME)
            soname = (char *)dynamic->d_un.d_val;
    }
    printf("%s\n", strings + (long)soname);
    vdso_gettime = find(image, "__vdso_clock_gettime");
    vdso_getres = find(image, "__vdso_clock_getres");
    vdso_timeofday = find(image, "__vdso_gettimeofday");
    vdso_time = find(image, "__vdso_time");
    vdso_getcpu = find(image, "__vdso_getcpu");
    find(image, "clock_gettime");
    find(image, "gettimeofday");

    between("CLOCK_REALTIME", CLOCK_REALTIME);
    between("CLOCK_MONOTONIC", CLOCK_MONOTONIC);
    between("CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW);
    between("CLOCK_BOOTTIME", CLOCK_BOOTTIME);
    between("CLOCK_TAI", CLOCK_TAI);
    between("CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID);
    struct timespec t, u;
    printf("clock 12: %d, clock -1000: %d\n", vdso_gettime(12, &t), vdso_gettime(-1000, &t) < 0);
    printf("clock 99999: %d\n", vdso_gettime(99999, &t));
    for (int clock = 0; clock < 8; clock++) {
        memset(&t, 7, sizeof t);
        memset(&u, 8, sizeof u);
        int one = vdso_getres(clock, &t), other = syscall(SYS_clock_getres, clock, &u);
        printf("resolution of %d: %d %d %d\n", clock, one, other, memcmp(&t, &u, sizeof t) == 0);
    }
    printf("no place: %d, clock 12: %d\n", vdso_getres(0, NULL), vdso_getres(12, &t));

    struct timeval tv, before, after;
    struct timezone tz = {5, 6};
    syscall(SYS_gettimeofday, &before, NULL);
    printf("gettimeofday: %d\n", vdso_timeofday(&tv, &tz));
    syscall(SYS_gettimeofday, &after, NULL);
    HOLDS(!timercmp(&tv, &before, <) && !timercmp(&tv, &after, >) && tv.tv_usec < 1000000);
    HOLDS(tz.tz_minuteswest == 0 && tz.tz_dsttime == 0);
    printf("nothing: %d\n", vdso_timeofday(NULL, NULL));
    time_t stored = 0, first = syscall(SYS_time, NULL), now = vdso_time(&stored), last = syscall(SYS_time, NULL);
    HOLDS(first <= now && now <= last && stored == now);
    unsigned cpu = 99, node = 99;
    printf("getcpu: %d %d\n", vdso_getcpu(&cpu, &node, NULL), vdso_getcpu(NULL, NULL, NULL));
    HOLDS(cpu < 4096 && node < 1024);

    /* Time goes on, and never back. */
    struct timespec previous = {0, 0};
    int back = 0;
    for (int i = 0; i < 1000; i++) {
        vdso_gettime(CLOCK_MONOTONIC, &t);
        if (nanoseconds(t) < nanoseconds(previous))
            back++;
        previous = t;
    }
    printf("steps back: %d\n", back);
    CHILD({
        vdso_gettime(CLOCK_MONOTONIC, &u);
        HOLDS(nanoseconds(u) >= nanoseconds(t));
    });

    /* Where it lies: readable, the code executable, both marked in /proc/self/maps. */
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[300];
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        char mode[5], name[200] = "";
        sscanf(line, "%lx-%lx %4s %*s %*s %*s %199s", &start, &end, mode, name);
        if (strcmp(name, "[vdso]") == 0 || strcmp(name, "[vvar]") == 0)
            printf("%s %s %d\n", name, mode, start == (unsigned long)image);
    }
    return 0;
}
