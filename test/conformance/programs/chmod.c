/* chmod, fchmod: bits, who may, set-user-id and set-group-id that go away. */
#include "check.h"

static void mode_of(const char *path) {
    struct stat st;
    if (stat(path, &st) == 0)
        printf("%s %04o\n", path, st.st_mode & 07777);
}

int main(void) {
    scratch_tmpfs("chmod");
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    CALL(chmod("f", 07777));
    mode_of("f");
    CALL(chmod("f", 0));
    mode_of("f");
    CALL(chmod("f", 0177777));
    mode_of("f");
    CALL(chmod("f", -1));
    mode_of("f");
    CALL(fchmod(fd, 0640));
    mode_of("f");
    CALL(chmod("none", 0600));
    CALL(chmod("", 0600));
    CALL(chmod("f/x", 0600));
    CALL(chmod("f/", 0600));
    CALL(chmod(BAD_POINTER, 0600));
    CALL(fchmod(99, 0600));
    CALL(fchmod(-1, 0600));
    CALL(symlink("f", "l"));
    CALL(chmod("l", 0604));
    mode_of("f");
    CALL(symlink("loop", "loop"));
    CALL(chmod("loop", 0600));
    int p[2];
    pipe(p);
    CALL(fchmod(p[0], 0644));
    struct stat st;
    fstat(p[1], &st);
    printf("pipe %o\n", st.st_mode);

    puts("-- who may");
    close(open("mine", O_CREAT, 0644)), chown("mine", 1000, 1000);
    close(open("group", O_CREAT, 0644)), chown("group", 1000, 55);
    close(open("roots", O_CREAT, 0666)), chmod("roots", 0666);
    mkdir("dir", 0755), chown("dir", 1000, 55);
    CHILD(become(1000, 1000); CALL(chmod("roots", 0600)); CALL(chmod("mine", 06755)); mode_of("mine"); CALL(chmod("group", 06755));
          mode_of("group"); CALL(chmod("mine", 01755)); mode_of("mine"); CALL(chmod("dir", 02755)); mode_of("dir"); CALL(chmod("dir", 01777)); mode_of("dir"));
    CHILD(gid_t g = 55; setgroups(1, &g); setresgid(7, 7, 7); setresuid(1000, 1000, 1000); CALL(chmod("group", 06755)); mode_of("group"));
    CHILD(int fd = open("roots", O_RDWR); become(1000, 1000); CALL(fchmod(fd, 0600)));

    puts("-- writing");
    chmod("mine", 06777);
    CHILD(int fd = open("mine", O_RDWR); write(fd, "", 0); mode_of("mine"); write(fd, "x", 1); mode_of("mine"));
    chmod("mine", 06777);
    CHILD(become(1000, 1000); int fd = open("mine", O_RDWR); write(fd, "", 0); mode_of("mine"); write(fd, "x", 1); mode_of("mine"));
    chmod("mine", 06767);
    CHILD(become(1000, 1000); int fd = open("mine", O_RDWR); pwrite(fd, "x", 1, 0); mode_of("mine"));
    chmod("mine", 06777);
    CHILD(become(1000, 1000); truncate("mine", 0); mode_of("mine"));
    chmod("mine", 06777);
    CHILD(become(1000, 1000); close(open("mine", O_RDWR | O_TRUNC)); mode_of("mine"));
    chmod("mine", 06777);
    CHILD(become(1000, 1000); fallocate(open("mine", O_RDWR), 0, 0, 10); mode_of("mine"));

    puts("-- owner changes");
    chmod("mine", 06777);
    CALL(chown("mine", 1000, 1000));
    mode_of("mine");
    chmod("mine", 06767);
    CALL(chown("mine", 1001, -1));
    mode_of("mine");
    chmod("dir", 06777);
    CALL(chown("dir", 1001, 7));
    mode_of("dir");
    close(fd), close(p[0]), close(p[1]);
    leave_tmpfs();
    return 0;
}
