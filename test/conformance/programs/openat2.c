/* openat2: the structure and its sizes, what open ignores, every RESOLVE flag. */
#include "check.h"

struct how {
    uint64_t flags, mode, resolve;
    uint64_t more[600];
};
static long with(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct how how = {flags, mode, resolve};
    long fd = syscall(SYS_openat2, dirfd, path, &how, 24);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : -1;
}
static long sized(size_t size, int at) {
    struct how how = {0};
    if (at >= 0)
        ((char *)&how)[at] = 1;
    long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, size);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : -1;
}
enum { XDEV = 1, MAGIC = 2, SYMLINKS = 4, BENEATH = 8, INROOT = 16, CACHED = 32 };

int main(void) {
    scratch_tmpfs("openat2");
    mkdir("d", 0755), mkdir("d/sub", 0755), mkdir("m", 0755);
    close(open("f", O_CREAT, 0644)), close(open("d/f", O_CREAT, 0644)), close(open("d/sub/f", O_CREAT, 0644));
    symlink("../f", "d/up"), symlink("/etc", "d/abs"), symlink("sub/f", "d/inside"), symlink("/f", "d/root");
    symlink("sub", "d/subl");
    mount("tmpfs", "m", "tmpfs", 0, "");
    int d = open("d", O_PATH);

    puts("-- structure");
    CALL(sized(24, -1));
    CALL(sized(23, -1));
    CALL(sized(0, -1));
    CALL(sized(32, -1));
    CALL(sized(32, 24));
    CALL(sized(32, 31));
    CALL(sized(4096, -1));
    CALL(sized(4097, -1));
    CALL(syscall(SYS_openat2, AT_FDCWD, ".", NULL, 24));
    CALL(syscall(SYS_openat2, AT_FDCWD, ".", BAD_POINTER, 24));
    struct how plain = {O_RDWR};
    long fd = syscall(SYS_openat2, AT_FDCWD, "f", &plain, 24);
    CALL(fcntl(fd, F_GETFL));

    puts("-- flags");
    CALL(with(AT_FDCWD, "f", 1ull << 40, 0, 0));
    CALL(with(AT_FDCWD, "f", 1u << 31, 0, 0));
    CALL(with(AT_FDCWD, "f", 0, 0600, 0));
    CALL(with(AT_FDCWD, "new", O_CREAT | O_WRONLY, 010000, 0));
    CALL(with(AT_FDCWD, "new", O_CREAT | O_WRONLY, 1ull << 40, 0));
    CALL(with(AT_FDCWD, "new", O_CREAT | O_WRONLY, 0644, 0));
    CALL(with(AT_FDCWD, "f", O_PATH | O_RDWR, 0, 0));
    CALL(with(AT_FDCWD, "f", O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, 0));
    CALL(with(AT_FDCWD, "f", O_PATH | O_TRUNC, 0, 0));
    CALL(with(AT_FDCWD, "f", 0, 0, 64));
    CALL(with(AT_FDCWD, "f", 0, 0, 1ull << 40));
    CALL(with(AT_FDCWD, "f", 0, 0, BENEATH | INROOT));
    CALL(with(AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600, 0));
    CALL(with(99, "f", 0, 0, 0));
    CALL(with(AT_FDCWD, "", 0, 0, 0));

    puts("-- beneath");
    CALL(with(d, "f", 0, 0, BENEATH));
    CALL(with(d, "sub/f", 0, 0, BENEATH));
    CALL(with(d, "sub/../f", 0, 0, BENEATH));
    CALL(with(d, "../f", 0, 0, BENEATH));
    CALL(with(d, "sub/../../f", 0, 0, BENEATH));
    CALL(with(d, "/f", 0, 0, BENEATH));
    CALL(with(d, "up", 0, 0, BENEATH));
    CALL(with(d, "up", O_PATH | O_NOFOLLOW, 0, BENEATH));
    CALL(with(d, "abs", 0, 0, BENEATH));
    CALL(with(d, "inside", 0, 0, BENEATH));
    CALL(with(d, "new", O_CREAT | O_WRONLY, 0600, BENEATH));
    CALL(with(d, "..", 0, 0, BENEATH));
    CALL(with(d, ".", 0, 0, BENEATH));

    puts("-- in root");
    CALL(with(d, "/f", 0, 0, INROOT));
    CALL(with(d, "../../../f", 0, 0, INROOT));
    CALL(with(d, "up", 0, 0, INROOT));
    CALL(with(d, "root", 0, 0, INROOT));
    CALL(with(d, "abs", 0, 0, INROOT));
    CALL(with(d, "/sub/../../sub/f", 0, 0, INROOT));
    CALL(with(d, "nothing", 0, 0, INROOT));

    puts("-- links");
    CALL(with(d, "inside", 0, 0, SYMLINKS));
    CALL(with(d, "subl/f", 0, 0, SYMLINKS));
    CALL(with(d, "inside", O_PATH | O_NOFOLLOW, 0, SYMLINKS));
    CALL(with(d, "sub/f", 0, 0, SYMLINKS));
    CALL(with(AT_FDCWD, "/proc/self/fd/1", O_PATH, 0, SYMLINKS));
    CALL(with(AT_FDCWD, "/proc/self/cwd", O_PATH, 0, MAGIC));
    CALL(with(AT_FDCWD, "/proc/self/cwd", O_PATH | O_NOFOLLOW, 0, MAGIC));
    CALL(with(AT_FDCWD, "/proc/self/cwd/f", 0, 0, MAGIC));
    CALL(with(AT_FDCWD, "/proc/self/status", 0, 0, MAGIC));
    CALL(with(d, "inside", 0, 0, MAGIC));

    puts("-- mounts");
    CALL(with(AT_FDCWD, "m", 0, 0, XDEV));
    CALL(with(AT_FDCWD, "m/nothing", 0, 0, XDEV));
    CALL(with(AT_FDCWD, "d/f", 0, 0, XDEV));
    CALL(with(AT_FDCWD, "..", 0, 0, XDEV));
    CALL(with(AT_FDCWD, "d/../f", 0, 0, XDEV));
    CALL(with(AT_FDCWD, "/proc", 0, 0, XDEV));
    int m = open("m", O_PATH);
    CALL(with(m, "..", 0, 0, XDEV));
    CALL(with(m, ".", 0, 0, XDEV));
    CALL(with(d, "abs", 0, 0, XDEV));

    puts("-- cached");
    CALL(with(d, "new2", O_CREAT | O_WRONLY, 0600, CACHED));
    CALL(with(d, "f", O_TRUNC | O_WRONLY, 0, CACHED));
    CALL(with(d, ".", O_TMPFILE | O_WRONLY, 0600, CACHED));
    CALL(with(d, "f", O_RDONLY, 0, CACHED));
    close(m), close(d), close(fd);
    umount("m");
    leave_tmpfs();
    return 0;
}
