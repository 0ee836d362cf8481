/* statfs, fstatfs; sync, fsync, fdatasync, syncfs; fadvise64, readahead. */
#include "check.h"
#include <sys/statfs.h>
#include <sys/statvfs.h>

static void show(const char *label, struct statfs *s) {
    printf("%s: type %#lx bsize %ld namelen %ld frsize %ld flags %#lx\n", label, (long)s->f_type, (long)s->f_bsize,
           (long)s->f_namelen, (long)s->f_frsize, (long)s->f_flags);
}

int main(void) {
    struct statfs s, before;
    int p[2];
    scratch_tmpfs("statfs");
    mkdir("m", 0755);
    CALL(mount("t", "m", "tmpfs", 0, "size=1m,nr_inodes=100"));
    CALL(chdir("m"));
    CALL(statfs(".", &before));
    show("tmpfs", &before);
    printf("blocks %ld files %ld\n", (long)before.f_blocks, (long)before.f_files);
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    char page[4096] = "x";
    write(fd, page, 4096), write(fd, page, 1);
    CALL(fstatfs(fd, &s));
    printf("blocks used %ld, files used %ld\n", (long)(before.f_bfree - s.f_bfree), (long)(before.f_ffree - s.f_ffree));
    HOLDS(s.f_bavail == s.f_bfree);
    HOLDS(s.f_fsid.__val[0] != 0 || s.f_fsid.__val[1] != 0);
    CALL(statfs("/proc", &s));
    s.f_flags &= ~(ST_NOSUID | ST_NODEV | ST_NOEXEC);
    show("proc", &s);
    CALL(pipe(p));
    CALL(fstatfs(p[0], &s));
    show("pipe", &s);
    CALL(statfs("none", &s));
    CALL(statfs("", &s));
    CALL(statfs("f/x", &s));
    CALL(statfs(BAD_POINTER, &s));
    CALL(statfs("f", UNMAPPED));
    CALL(fstatfs(99, &s));
    CALL(fstatfs(fd, UNMAPPED));
    int path = open("f", O_PATH);
    CALL(fstatfs(path, &s));

    puts("-- no space left");
    static char big[2 << 20];
    CALL(ftruncate(fd, 0));
    CALL(pwrite(fd, big, sizeof big, 0));
    CALL(pwrite(fd, big, 1, 1 << 20));
    CALL(pwrite(fd, "y", 1, 0));
    CALL(mkdir("d", 0755));
    CALL(ftruncate(fd, 0));
    CALL(pwrite(fd, big, 10, 5000000));
    char name[32];
    int made = 0;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "n%d", i);
        if (mknod(name, S_IFREG | 0600, 0) != 0)
            break;
        made++;
    }
    printf("made some: %d then %s\n", made > 80 && made < 100, errno_name(errno));
    CALL(mkdir("one-more", 0755));
    CALL(unlink("n0"));
    CALL(mkdir("one-more", 0755));

    puts("-- sync");
    CALL(fsync(fd));
    CALL(fdatasync(fd));
    CALL(syncfs(fd));
    sync();
    CALL(fsync(99));
    CALL(fdatasync(99));
    CALL(syncfs(99));
    CALL(fsync(p[0]));
    CALL(fdatasync(p[1]));
    CALL(syncfs(p[0]));
    CALL(fsync(path));
    CALL(syncfs(path));
    int null = open("/dev/null", O_WRONLY);
    CALL(fsync(null));
    int d = open(".", O_RDONLY);
    CALL(fsync(d));
    CALL(fdatasync(d));
    int ro = open("f", O_RDONLY);
    CALL(fsync(ro));

    puts("-- advice");
    for (int advice = -1; advice < 7; advice++)
        printf("%d: %s\n", advice, syscall(SYS_fadvise64, fd, 0, 0, advice) == 0 ? "ok" : errno_name(errno));
    CALL(syscall(SYS_fadvise64, fd, -1, 0, 0));
    CALL(syscall(SYS_fadvise64, fd, 0, -1, 0));
    CALL(syscall(SYS_fadvise64, 99, 0, 0, 0));
    CALL(syscall(SYS_fadvise64, p[0], 0, 0, 0));
    CALL(syscall(SYS_fadvise64, d, 0, 0, 0));
    CALL(syscall(SYS_fadvise64, path, 0, 0, 0));
    CALL(readahead(fd, 0, 4096));
    CALL(readahead(99, 0, 4096));
    CALL(readahead(p[0], 0, 4096));
    CALL(readahead(d, 0, 4096));
    int wo = open("f", O_WRONLY);
    CALL(readahead(wo, 0, 4096));
    for (int i = 3; i < 16; i++)
        close(i);
    CALL(chdir(".."));
    CALL(umount("m"));
    leave_tmpfs();
    return 0;
}
