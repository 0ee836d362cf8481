/* chown, lchown, fchown: ids, who may. */
#include "check.h"

static void owner_of(const char *path) {
    struct stat st;
    if (lstat(path, &st) == 0)
        printf("%s %d:%d %04o\n", path, st.st_uid, st.st_gid, st.st_mode & 07777);
}

int main(void) {
    struct stat st;
    scratch_tmpfs("chown");
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    CALL(chown("f", 10, 20));
    owner_of("f");
    CALL(chown("f", -1, 30));
    owner_of("f");
    CALL(chown("f", 40, -1));
    owner_of("f");
    CALL(chown("f", -1, -1));
    owner_of("f");
    CALL(chown("f", 0x7fffffff, 0xfffffffe));
    owner_of("f");
    CALL(fchown(fd, 1, 2));
    owner_of("f");
    CALL(symlink("f", "l"));
    CALL(chown("l", 3, 4));
    owner_of("f"), owner_of("l");
    CALL(lchown("l", 5, 6));
    owner_of("f"), owner_of("l");
    CALL(lchown("f", 7, 8));
    owner_of("f");
    CALL(chown("none", 1, 1));
    CALL(chown("", 1, 1));
    CALL(chown("f/x", 1, 1));
    CALL(chown(BAD_POINTER, 1, 1));
    CALL(lchown("none", 1, 1));
    CALL(fchown(99, 1, 1));
    CALL(symlink("loop", "loop"));
    CALL(chown("loop", 1, 1));
    CALL(lchown("loop", 1, 1));
    int p[2];
    pipe(p);
    CALL(fchown(p[0], 9, 10));
    fstat(p[1], &st);
    printf("pipe %d:%d\n", st.st_uid, st.st_gid);

    puts("-- without privilege");
    close(open("mine", O_CREAT, 0644)), chown("mine", 1000, 1000);
    close(open("other", O_CREAT, 0666)), chown("other", 1001, 1000);
    CHILD(gid_t g = 55; setgroups(1, &g); setresgid(1000, 1000, 1000); setresuid(1000, 1000, 1000);
          CALL(chown("mine", 1000, 1000)); CALL(chown("mine", 1001, -1)); CALL(chown("mine", -1, 55)); owner_of("mine");
          CALL(chown("mine", -1, 56)); CALL(chown("mine", 1000, 1000)); owner_of("mine"); CALL(chown("other", -1, 1000));
          CALL(chown("other", 1001, 1000)); CALL(chown("other", -1, -1)); CALL(chown("f", 1000, 1000)); chmod("mine", 06755);
          CALL(chown("mine", -1, 55)); owner_of("mine"); chmod("mine", 06755); CALL(chown("mine", -1, -1)); owner_of("mine"));

    puts("-- set ids as root");
    chmod("mine", 06755);
    CALL(chown("mine", -1, -1));
    owner_of("mine");
    chmod("mine", 06745);
    CALL(chown("mine", 0, 0));
    owner_of("mine");
    close(fd), close(p[0]), close(p[1]);
    leave_tmpfs();
    return 0;
}
