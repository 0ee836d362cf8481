/* chroot: names inside and outside, who may, what .. and absolute links then mean. */
#include "check.h"

/* Without the number of the process. */
static const char *shown(char *path) {
    char *number = strstr(path, "chroot-");
    if (number != NULL)
        memmove(number + 6, number + 7 + strspn(number + 7, "0123456789"), strlen(number + 7 + strspn(number + 7, "0123456789")) + 1);
    return path;
}

static void where(void) {
    char buf[4096];
    printf("cwd: %s\n", syscall(SYS_getcwd, buf, sizeof buf) < 0 ? errno_name(errno) : shown(buf));
}

int main(void) {
    struct stat a, b;
    char buf[64];
    scratch_tmpfs("chroot");
    mkdir("jail", 0755), mkdir("jail/in", 0755), close(open("jail/f", O_CREAT, 0644)), close(open("f", O_CREAT, 0600));
    symlink("/f", "jail/abs"), symlink("../../../../f", "jail/in/up"), symlink("/f", "outer");
    CALL(chroot("none"));
    CALL(chroot("f"));
    CALL(chroot(""));
    CALL(chroot(BAD_POINTER));
    CHILD(become(1000, 1000); CALL(chroot("jail")));
    int outside = open(".", O_RDONLY);
    CHILD(CALL(chroot("jail")); where(); CALL(chdir("/")); where(); CALL(stat("/f", &a)); CALL(stat("/abs", &b));
          HOLDS(a.st_ino == b.st_ino); CALL(stat("in/up", &b)); HOLDS(a.st_ino == b.st_ino); CALL(stat("/..", &a)); CALL(stat("/", &b));
          HOLDS(a.st_ino == b.st_ino); CALL(chdir("..")); where(); CALL(chdir("/in")); where(); CALL(access("/tmp", F_OK)); CALL(access("/proc", F_OK));
          CALL(rmdir("/")); CALL(rmdir("/in")); CALL(rename("/in", "/out"));
          CALL(fchdir(outside)); where(); CALL(access("jail/f", F_OK)); CALL(access("../", F_OK)));
    CHILD(chdir("jail/in"); CALL(chroot("..")); where(); CALL(chdir("..")); where(); CALL(chdir("..")); where();
          CALL(chroot("in")); CALL(chdir("..")); where());
    CHILD(chdir("jail"); chroot("."); if (fork() == 0) {
        CALL(access("/f", F_OK));
        where();
        fflush(stdout);
        _exit(0);
    } wait(NULL));
    close(outside);
    CALL(access("jail/f", F_OK));
    leave_tmpfs();
    return 0;
}
