/* getcwd, chdir, fchdir: results, errors, removed directories, inheritance. */
#include "check.h"

static char base[256];

/* The working directory below the scratch folder. */
static void where(void) {
    char buf[4096];
    long n = syscall(SYS_getcwd, buf, sizeof buf);
    if (n < 0)
        printf("cwd: %s\n", errno_name(errno));
    else if (strncmp(buf, base, strlen(base)) == 0)
        printf("cwd: <base>%s length ok %d\n", buf + strlen(base), n == (long)strlen(buf) + 1);
    else
        printf("cwd: %s %ld\n", buf, n);
}

int main(void) {
    char buf[4096];
    scratch_tmpfs("cwd");
    getcwd(base, sizeof base);
    where();
    mkdir("a", 0755), mkdir("a/b", 0755), symlink("a/b", "l"), close(open("f", O_CREAT, 0600));
    CALL(chdir("a/b"));
    where();
    CALL(chdir(".."));
    where();
    CALL(chdir("../l"));
    where();
    CALL(chdir(base));
    CALL(syscall(SYS_getcwd, buf, 0));
    CALL(syscall(SYS_getcwd, buf, 1));
    CALL(syscall(SYS_getcwd, buf, strlen(base)));
    HOLDS(syscall(SYS_getcwd, buf, strlen(base) + 1) == (long)strlen(base) + 1);
    CALL(syscall(SYS_getcwd, UNMAPPED, 4096));
    CALL(syscall(SYS_getcwd, NULL, 0));
    CALL(chdir("none"));
    CALL(chdir("f"));
    CALL(chdir("f/x"));
    CALL(chdir(""));
    CALL(chdir(BAD_POINTER));
    symlink("loop", "loop");
    CALL(chdir("loop"));
    CALL(fchdir(99));
    CALL(open("f", O_RDONLY));
    CALL(fchdir(3));
    CALL(close(3));
    CALL(open("a/b", O_RDONLY));
    CALL(fchdir(3));
    where();
    CALL(close(3));
    CALL(open(base, O_PATH));
    CALL(fchdir(3));
    where();

    puts("-- renamed and removed");
    CALL(chdir("a/b"));
    CALL(rename("../../a", "../../z"));
    where();
    CALL(fchdir(3));
    CALL(rmdir("z/b"));
    mkdir("gone", 0755);
    CALL(chdir("gone"));
    CALL(rmdir("../gone"));
    where();
    CALL(chdir("."));
    CALL(chdir("./"));
    CALL(open("x", O_CREAT | O_RDWR, 0600));
    CALL(open(".", O_RDONLY));
    CALL(close(4));
    CALL(mkdir("x", 0700));
    CALL(symlink("x", "y"));
    CALL(chdir(".."));
    where();
    mkdir("up", 0755), mkdir("up/down", 0755);
    CALL(chdir("up/down"));
    CALL(rmdir("../down"));
    where();
    CALL(chdir(".."));
    where();

    puts("-- permissions");
    CALL(fchdir(3));
    mkdir("closed", 0700), mkdir("closed/in", 0755), mkdir("read", 0744), chmod("read", 0744), mkdir("exec", 0711);
    CHILD(become(1000, 1000); CALL(chdir("closed")); CALL(chdir("closed/in")); CALL(chdir("read")); CALL(chdir("exec")));
    CHILD(chdir("closed"); int fd = open(".", O_RDONLY); chdir(".."); become(1000, 1000); CALL(fchdir(fd)));
    CHILD(chdir("closed/in"); become(1000, 1000); where(); CALL(chdir("..")); CALL(access("../f", F_OK)); CALL(stat(".", (struct stat *)buf)));

    puts("-- inheritance");
    CHILD(CALL(chdir("exec")); where());
    where();
    close(3);
    leave_tmpfs();
    return 0;
}
