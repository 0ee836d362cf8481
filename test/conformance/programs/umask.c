/* umask, and what it does to open, mkdir, mknod; that it is inherited. */
#include "check.h"

static void mode_of(const char *path) {
    struct stat st;
    if (lstat(path, &st) != 0)
        printf("%s: %s\n", path, errno_name(errno));
    else
        printf("%s: %o\n", path, st.st_mode);
}

int main(void) {
    scratch_tmpfs("umask");
    CALL(umask(0));
    CALL(umask(07777));
    CALL(umask(0xffffffff));
    CALL(umask(027));
    CALL(close(open("f", O_CREAT | O_WRONLY, 0777)));
    mode_of("f");
    CALL(close(open("f", O_CREAT | O_WRONLY, 0400)));
    mode_of("f");
    CALL(mkdir("d", 07777));
    mode_of("d");
    CALL(mknod("p", S_IFIFO | 0666, 0));
    mode_of("p");
    CALL(mknod("r", 0666, 0));
    mode_of("r");
    CALL(symlink("f", "l"));
    mode_of("l");
    CALL(chmod("f", 0777));
    mode_of("f");
    CHILD(CALL(umask(0)); CALL(close(open("c", O_CREAT | O_WRONLY, 0666))); mode_of("c"));
    CALL(umask(0777));
    CALL(close(open("none", O_CREAT | O_RDWR, 0666)));
    mode_of("none");
    CALL(umask(0));

    puts("-- setgid directories");
    CALL(mkdir("s", 0777));
    CALL(chown("s", 0, 55));
    CALL(chmod("s", 02777));
    CALL(close(open("s/f", O_CREAT | O_RDWR, 02755)));
    CALL(mkdir("s/d", 0755));
    struct stat st;
    stat("s/f", &st);
    printf("file gid %d mode %o\n", st.st_gid, st.st_mode);
    stat("s/d", &st);
    printf("directory gid %d mode %o\n", st.st_gid, st.st_mode);
    CHILD(become(1000, 1000); CALL(close(open("s/u", O_CREAT | O_RDWR, 02775))); CALL(mkdir("s/ud", 0700)));
    stat("s/u", &st);
    printf("file uid %d gid %d mode %o\n", st.st_uid, st.st_gid, st.st_mode);
    stat("s/ud", &st);
    printf("directory uid %d gid %d mode %o\n", st.st_uid, st.st_gid, st.st_mode);
    leave_tmpfs();
    return 0;
}
