/* memfd_create and seals; O_TMPFILE and linkat. */
#include "check.h"
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#define MFD_EXEC 16
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 32
#endif

static void named(int fd) {
    char link[300], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int n = readlink(path, link, sizeof link);
    printf("%.*s\n", n, link);
}

int main(void) {
    char page[8192] = "x", buf[64];
    struct stat st;
    puts("-- memfd");
    int fd = memfd_create("hello", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CALL(fcntl(fd, F_GETFD));
    HOLDS(fcntl(fd, F_GETFL) == (O_RDWR | 0100000));
    named(fd);
    CALL(fstat(fd, &st));
    printf("%o %ld %ld\n", st.st_mode, (long)st.st_nlink, (long)st.st_size);
    CALL(write(fd, "hello", 5));
    CALL(pread(fd, buf, 64, 1));
    CALL(lseek(fd, 0, SEEK_END));
    CALL(ftruncate(fd, 8192));
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    HOLDS(map != MAP_FAILED);
    HOLDS(memcmp(map, "hello", 5) == 0);
    strcpy(map + 4096, "there");
    CALL(pread(fd, buf, 5, 4096));
    printf("%.5s\n", buf);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY);
    HOLDS(again >= 0);
    CALL(pread(again, buf, 5, 0));
    CALL(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/never", AT_SYMLINK_FOLLOW));
    CHILD(CALL(write(fd, "child", 5)));
    CALL(lseek(fd, 0, SEEK_CUR));

    puts("-- seals");
    CALL(fcntl(fd, F_GET_SEALS));
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    CALL(munmap(map, 8192));
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    CALL(ftruncate(fd, 4096));
    CALL(ftruncate(fd, 12288));
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    CALL(fcntl(fd, F_GET_SEALS));
    CALL(ftruncate(fd, 16384));
    CALL(ftruncate(fd, 12288));
    CALL(pwrite(fd, page, 8192, 8192));
    CALL(pwrite(fd, page, 1, 12288));
    CALL(pwrite(fd, page, 200, 12200));
    CALL(fallocate(fd, 0, 12288, 4096));
    CALL(fallocate(fd, 0, 0, 4096));
    CALL(fallocate(fd, FALLOC_FL_KEEP_SIZE, 12288, 4096));
    CALL(fcntl(again, F_ADD_SEALS, F_SEAL_WRITE));
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    CALL(write(fd, "x", 1));
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    CALL(write(fd, "x", 1));
    CALL(write(fd, "x", 0));
    CALL(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    HOLDS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    HOLDS(map != MAP_FAILED);
    map[0] = 'y';
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    CALL(fcntl(fd, F_GET_SEALS));
    CALL(fcntl(fd, F_ADD_SEALS, 0x100));
    CALL(fchmod(fd, 0600));

    puts("-- flags");
    int plain = memfd_create("", 0);
    named(plain);
    CALL(fcntl(plain, F_GET_SEALS));
    CALL(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE));
    int noexec = memfd_create("n", MFD_NOEXEC_SEAL);
    CALL(fcntl(noexec, F_GET_SEALS));
    fstat(noexec, &st);
    printf("%o\n", st.st_mode);
    CALL(fchmod(noexec, 0777));
    CALL(fchmod(noexec, 0600));
    int exec = memfd_create("n", MFD_EXEC | MFD_ALLOW_SEALING);
    CALL(fcntl(exec, F_ADD_SEALS, F_SEAL_EXEC));
    CALL(fcntl(exec, F_GET_SEALS));
    CALL(fchmod(exec, 0600));
    CALL(memfd_create("a", MFD_EXEC | MFD_NOEXEC_SEAL));
    CALL(memfd_create("a", 0x40000000));
    static char name[260];
    memset(name, 'n', 250);
    CALL(memfd_create(name, 0));
    name[249] = 0;
    WORKS(memfd_create(name, 0));
    CALL(memfd_create(NULL, 0));
    CALL(memfd_create(BAD_POINTER, 0));
    CALL(fcntl(0, F_GET_SEALS));

    puts("-- O_TMPFILE");
    scratch_tmpfs("memfd");
    mkdir("d", 0755);
    fd = open("d", O_TMPFILE | O_RDWR, 0640);
    HOLDS(fd >= 0);
    HOLDS((fcntl(fd, F_GETFL) & O_TMPFILE) == O_TMPFILE);
    fstat(fd, &st);
    printf("%o %ld\n", st.st_mode, (long)st.st_nlink);
    CALL(write(fd, "anonymous", 9));
    CALL(rmdir("d"));
    mkdir("d", 0755);
    CALL(linkat(fd, "", AT_FDCWD, "d/named", AT_EMPTY_PATH));
    CALL(linkat(fd, "", AT_FDCWD, "d/again", AT_EMPTY_PATH));
    CALL(access("d/again", F_OK));
    unlink("d/again");
    fstat(fd, &st);
    printf("%ld\n", (long)st.st_nlink);
    CALL(unlink("d/named"));
    CALL(linkat(fd, "", AT_FDCWD, "d/named", AT_EMPTY_PATH));
    close(fd);
    fd = open("d", O_TMPFILE | O_WRONLY, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CALL(linkat(AT_FDCWD, path, AT_FDCWD, "d/byproc", AT_SYMLINK_FOLLOW));
    CALL(stat("d/byproc", &st));
    close(fd);
    fd = open("d", O_TMPFILE | O_WRONLY | O_EXCL, 0600);
    CALL(linkat(fd, "", AT_FDCWD, "d/exclusive", AT_EMPTY_PATH));
    close(fd);
    CALL(open("d", O_TMPFILE | O_RDONLY, 0600));
    CALL(open("d", O_TMPFILE | O_RDWR | O_CREAT, 0600));
    CALL(open("d", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600));
    CALL(open("d/byproc", O_TMPFILE | O_RDWR, 0600));
    CALL(open("nowhere", O_TMPFILE | O_RDWR, 0600));
    CALL(open("/proc", O_TMPFILE | O_RDWR, 0600));
    CHILD(become(1000, 1000); CALL(open("d", O_TMPFILE | O_RDWR, 0600)));
    fd = open("f", O_CREAT | O_RDWR, 0600);
    CALL(fcntl(fd, F_GET_SEALS));
    CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    close(fd);
    leave_tmpfs();
    return 0;
}
