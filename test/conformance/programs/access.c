/* access, faccessat, faccessat2: bits, owner/group/other, real against effective ids. */
#include "check.h"

static void all(const char *path) {
    printf("%s:", path);
    for (int mode = 0; mode < 8; mode++)
        printf(" %s", access(path, mode) == 0 ? "ok" : errno_name(errno));
    puts("");
}

static void files(void) {
    all("mine");
    all("group");
    all("other");
    all("none");
    all("closed/f");
    all("search/f");
    all("listed/f");
    all("listed");
}

int main(void) {
    scratch_tmpfs("access");
    close(open("mine", O_CREAT, 0400)), chmod("mine", 0740), chown("mine", 1000, 1000);
    close(open("group", O_CREAT, 0400)), chmod("group", 0150), chown("group", 1001, 1000);
    close(open("other", O_CREAT, 0400)), chmod("other", 0072), chown("other", 1000, 1001);
    mkdir("closed", 0700), close(open("closed/f", O_CREAT, 0777));
    mkdir("search", 0711), close(open("search/f", O_CREAT, 0644));
    mkdir("listed", 0744), close(open("listed/f", O_CREAT, 0644));
    puts("-- root");
    files();
    puts("-- owner");
    CHILD(become(1000, 1000); files());
    puts("-- group");
    CHILD(become(1005, 1000); files());
    puts("-- supplementary group");
    CHILD(gid_t g = 1000; setgroups(1, &g); setresgid(7, 7, 7); setresuid(1005, 1005, 1005); files());
    puts("-- others");
    CHILD(become(1005, 1005); files());

    puts("-- real and effective");
    CHILD(setresgid(1000, 0, 0); setresuid(1000, 0, 0); CALL(access("closed/f", R_OK));
          CALL(faccessat(AT_FDCWD, "closed/f", R_OK, AT_EACCESS)); CALL(access("mine", W_OK)); CALL(open("closed/f", O_RDONLY)));
    CHILD(setgroups(0, NULL); setresgid(0, 1000, 0); setresuid(0, 1000, 0); CALL(access("closed/f", R_OK));
          CALL(faccessat(AT_FDCWD, "closed/f", R_OK, AT_EACCESS)); CALL(open("closed/f", O_RDONLY)); CALL(access("other", X_OK)));

    puts("-- errors");
    CALL(access("mine", 8));
    CALL(access("mine", -1));
    CALL(access("none", 8));
    CALL(access("", F_OK));
    CALL(access(BAD_POINTER, F_OK));
    CALL(access("mine/x", F_OK));
    CALL(open("mine", O_RDONLY));
    CALL(syscall(SYS_faccessat, 99, "mine", R_OK));
    CALL(syscall(SYS_faccessat, 3, "mine", R_OK));
    CALL(syscall(SYS_faccessat2, 3, "", R_OK, AT_EMPTY_PATH));
    CALL(syscall(SYS_faccessat2, 3, "", R_OK, 0));
    CALL(syscall(SYS_faccessat2, AT_FDCWD, "mine", R_OK, 0x4000));
    symlink("none", "dangling");
    CALL(access("dangling", F_OK));
    CALL(syscall(SYS_faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
    CALL(syscall(SYS_faccessat2, AT_FDCWD, "dangling", R_OK | W_OK | X_OK, AT_SYMLINK_NOFOLLOW));

    puts("-- opening");
    CHILD(become(1000, 1000); CALL(open("mine", O_RDWR)); CALL(open("group", O_RDONLY)); CALL(open("other", O_RDONLY));
          CALL(open("closed/f", O_RDONLY)); CALL(open("search", O_RDONLY)); CALL(open("search/f", O_RDONLY));
          CALL(open("listed", O_RDONLY)); CALL(open("listed/f", O_RDONLY)); CALL(open("search/new", O_CREAT | O_RDWR, 0600));
          CALL(open("closed/f", O_PATH)); CALL(open("group", O_PATH)); CALL(open("group", O_RDWR | O_NOATIME));
          CALL(open("mine", O_RDONLY | O_NOATIME)); CALL(open("search/f", O_RDONLY | O_NOATIME)); CALL(open("search/f", O_RDONLY | O_TRUNC)));
    close(3);
    leave_tmpfs();
    return 0;
}
