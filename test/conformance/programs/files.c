/* open, close, read, write, pread, pwrite, readv, writev, lseek, truncate, dup, fcntl: results and errors. */
#include "check.h"
#include <sys/uio.h>
#include <sys/sendfile.h>
#include <sys/resource.h>
#include <sys/mman.h>

static char buf[70000];

int main(void) {
    scratch("files");
    CALL(open("none", O_RDONLY));
    CALL(open("", O_RDONLY));
    CALL(open("none/", O_CREAT | O_WRONLY, 0644));
    CALL(open("none/x", O_CREAT | O_WRONLY, 0644));
    CALL(open(BAD_POINTER, O_RDONLY));
    CALL(open(".", O_WRONLY));
    CALL(open(".", O_CREAT, 0644));
    CALL(open(".", O_RDWR | O_DIRECTORY));
    CALL(open("f", O_CREAT | O_EXCL | O_RDWR, 0666));
    CALL(open("f", O_CREAT | O_EXCL | O_RDWR, 0666));
    CALL(open("f", O_DIRECTORY));
    CALL(open("f/", O_RDONLY));
    CALL(open("f/x", O_RDONLY));
    CALL(open("f", O_PATH | O_RDWR));
    CALL(read(4, buf, 1));
    CALL(fchmod(4, 0600));
    CALL(fcntl(4, F_GETFL));
    CALL(close(4));
    CALL(close(4));
    CALL(close(-1));
    CALL(write(3, "hello, world", 12));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(lseek(3, -5, SEEK_END));
    CALL(read(3, buf, 100));
    CALL(memcmp(buf, "world", 5));
    CALL(read(3, buf, 100));
    CALL(read(3, UNMAPPED, 0));
    CALL(lseek(3, 0, SEEK_SET));
    CALL(read(3, UNMAPPED, 5));
    CALL(write(3, UNMAPPED, 5));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(lseek(3, -1, SEEK_SET));
    CALL(lseek(3, 0, 17));
    CALL(lseek(99, 0, SEEK_SET));
    CALL(pread(3, buf, 4, 7));
    CALL(pread(3, buf, 4, -1));
    CALL(pread(3, buf, 4, 1000));
    CALL(pwrite(3, "W", 1, 7));
    CALL(pwrite(3, "W", 1, -7));
    CALL(pread(3, buf, 100, 0));
    printf("%.12s\n", buf);
    struct iovec v[3] = {{buf, 3}, {buf + 10, 0}, {buf + 20, 5}};
    CALL(readv(3, v, 3));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(writev(3, v, 3));
    CALL(writev(3, v, -1));
    CALL(writev(3, v, 1025));
    CALL(writev(3, NULL, 0));
    CALL(preadv(3, v, 3, 2));
    CALL(pwritev(3, v, 3, 50));
    CALL(preadv2(3, v, 3, -1, 0));
    CALL(preadv2(3, v, 3, 0, 0x4000));
    CALL(lseek(3, 0, SEEK_END));
    v[1].iov_base = UNMAPPED;
    v[1].iov_len = 5;
    CALL(lseek(3, 0, SEEK_SET));
    CALL(writev(3, v, 3));
    CALL(lseek(3, 0, SEEK_CUR));

    /* holes */
    CALL(ftruncate(3, 100000));
    CALL(lseek(3, 0, SEEK_END));
    CALL(pread(3, buf, 10, 99995));
    CALL(pwrite(3, "end", 3, 200000));
    struct stat st;
    CALL(fstat(3, &st));
    HOLDS(st.st_size == 200003 && st.st_blocks < 300);
    CALL(lseek(3, 0, SEEK_DATA));
    CALL(lseek(3, 200003, SEEK_DATA));
    CALL(lseek(3, 0, SEEK_HOLE));
    CALL(lseek(3, 199999, SEEK_HOLE));
    CALL(ftruncate(3, -1));
    CALL(ftruncate(99, 1));
    CALL(truncate("f", 5));
    CALL(truncate("none", 5));
    CALL(truncate(".", 5));
    CALL(truncate("f", -5));
    CALL(ftruncate(0, 5));
    CALL(pread(3, buf, 100, 0));

    /* append, dup, flags */
    CALL(open("f", O_WRONLY | O_APPEND));
    CALL(lseek(4, 0, SEEK_SET));
    CALL(write(4, "+", 1));
    CALL(lseek(4, 0, SEEK_CUR));
    CALL(read(4, buf, 1));
    CALL(ftruncate(4, 3));
    CALL(dup(3));
    CALL(dup(77));
    CALL(dup2(3, 10));
    CALL(dup2(3, 3));
    CALL(dup2(77, 3));
    CALL(dup2(3, -1));
    CALL(dup2(3, 1 << 30));
    CALL(dup3(3, 3, 0));
    CALL(dup3(3, 11, O_CLOEXEC));
    CALL(dup3(3, 11, O_APPEND));
    CALL(fcntl(11, F_GETFD));
    CALL(fcntl(10, F_GETFD));
    CALL(fcntl(10, F_SETFD, FD_CLOEXEC));
    CALL(fcntl(10, F_GETFD));
    CALL(fcntl(3, F_GETFL) & ~0100000);
    CALL(fcntl(4, F_GETFL) & ~0100000);
    CALL(fcntl(10, F_SETFL, O_NONBLOCK | O_WRONLY | O_CREAT));
    CALL(fcntl(3, F_GETFL) & ~0100000);
    CALL(fcntl(3, F_DUPFD, 20));
    CALL(fcntl(3, F_DUPFD_CLOEXEC, 20));
    CALL(fcntl(21, F_GETFD));
    CALL(fcntl(3, F_DUPFD, -1));
    CALL(fcntl(3, F_DUPFD, 1 << 30));
    CALL(fcntl(3, 12345));
    CALL(fcntl(99, F_GETFD));
    CALL(lseek(20, 2, SEEK_SET));
    CALL(lseek(3, 0, SEEK_CUR));
    CALL(syscall(SYS_close_range, 10, 20, 0));
    CALL(fcntl(11, F_GETFD));
    CALL(fcntl(21, F_GETFD));
    CALL(syscall(SYS_close_range, 5, 4, 0));

    /* limits */
    struct rlimit limit = {8, 8};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 7;
    setrlimit(RLIMIT_NOFILE, &limit);
    CALL(dup(3));
    CALL(dup(3));
    CALL(open("new", O_CREAT | O_WRONLY, 0644));
    CALL(access("new", F_OK));
    limit.rlim_cur = 100;
    setrlimit(RLIMIT_NOFILE, &limit);
    CHILD({
        /* Output goes on only because it is to a pipe. */
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit size = {10, 10};
        setrlimit(RLIMIT_FSIZE, &size);
        CALL(open("limited", O_CREAT | O_RDWR, 0644));
        CALL(write(7, "0123456789abcdef", 16));
        CALL(write(7, "x", 1));
        CALL(ftruncate(7, 11));
    });

    /* links keep files alive */
    CALL(unlink("f"));
    CALL(fstat(3, &st));
    HOLDS(st.st_nlink == 0);
    CALL(pwrite(3, "alive", 5, 0));
    CALL(pread(3, buf, 5, 0));

    /* devices */
    CALL(open("/dev/null", O_RDWR));
    CALL(read(8, buf, 10));
    CALL(write(8, buf, 10));
    CALL(lseek(8, 100, SEEK_SET));
    CALL(ftruncate(8, 0));
    CALL(fstat(8, &st));
    printf("%o %lx\n", st.st_mode, (long)st.st_rdev);
    CALL(open("/dev/zero", O_RDWR));
    memset(buf, 1, 10);
    CALL(read(9, buf, 10));
    CALL(buf[0] + buf[9]);
    CALL(open("/dev/full", O_RDWR));
    CALL(write(10, buf, 10));
    CALL(write(10, buf, 0));
    CALL(open("/dev/urandom", O_RDONLY));
    CALL(read(11, buf, 16));

    /* sendfile, copy_file_range */
    int in = open("in", O_CREAT | O_RDWR, 0644);
    CALL(write(in, "0123456789", 10));
    int out = open("out", O_CREAT | O_RDWR, 0644);
    off_t at = 2;
    CALL(sendfile(out, in, &at, 3));
    CALL(at);
    CALL(lseek(in, 0, SEEK_CUR));
    CALL(lseek(in, 5, SEEK_SET));
    CALL(sendfile(out, in, NULL, 100));
    CALL(lseek(in, 0, SEEK_CUR));
    CALL(sendfile(out, in, NULL, 100));
    CALL(sendfile(in, 99, NULL, 1));
    CALL(pread(out, buf, 100, 0));
    printf("%.8s\n", buf);
    loff_t from = 1, to = 0;
    CALL(copy_file_range(in, &from, out, &to, 4, 0));
    CALL(from);
    CALL(to);
    CALL(copy_file_range(in, &from, in, &to, 6, 0));
    CALL(copy_file_range(in, NULL, out, NULL, 4, 1));
    CALL(pread(out, buf, 100, 0));
    printf("%.8s\n", buf);
    CALL(fallocate(out, 0, 0, 10));
    CALL(lseek(out, 0, SEEK_END));
    CALL(fallocate(out, FALLOC_FL_KEEP_SIZE, 0, 10));
    CALL(fallocate(out, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 2));
    CALL(fallocate(out, 0, 0, 0));
    CALL(fallocate(99, 0, 0, 1));
    CALL(posix_fadvise(out, 0, 0, POSIX_FADV_DONTNEED));
    CALL(fsync(out));
    CALL(fdatasync(out));
    CALL(fsync(99));
    CALL(syncfs(out));
    return 0;
}
