/* mkdir, rmdir. */
#include "check.h"

int main(void) {
    struct stat st;
    scratch_tmpfs("mkdir");
    char name[300];
    memset(name, 'd', sizeof name);
    name[256] = 0;
    CALL(mkdir("a", 0777));
    stat("a", &st);
    printf("%o links %ld\n", st.st_mode, (long)st.st_nlink);
    CALL(mkdir("a", 0777));
    CALL(mkdir("a/", 0777));
    CALL(mkdir(".", 0777));
    CALL(mkdir("..", 0777));
    CALL(mkdir("/", 0777));
    CALL(mkdir("", 0777));
    CALL(mkdir("b/", 0777));
    CALL(mkdir("c//", 0777));
    CALL(mkdir("d/.", 0777));
    CALL(mkdir("none/x", 0777));
    CALL(mkdir(name, 0777));
    CALL(mkdir(BAD_POINTER, 0777));
    close(open("f", O_CREAT, 0600));
    CALL(mkdir("f", 0777));
    CALL(mkdir("f/x", 0777));
    CALL(symlink("nowhere", "dangling"));
    CALL(mkdir("dangling", 0777));
    CALL(mkdir("dangling/", 0777));
    CALL(symlink("loop", "loop"));
    CALL(mkdir("loop/x", 0777));
    CALL(mkdir("sticky", 01777));
    stat("sticky", &st);
    printf("%o\n", st.st_mode);

    puts("-- rmdir");
    CALL(mkdir("a/b", 0700));
    CALL(rmdir("a"));
    CALL(rmdir("a/b/"));
    CALL(rmdir("a/."));
    CALL(rmdir("a/.."));
    CALL(mkdir("a/b", 0700));
    CALL(rmdir("a/b/.."));
    CALL(rmdir("."));
    CALL(rmdir(".."));
    CALL(rmdir("/"));
    CALL(rmdir(""));
    CALL(rmdir("none"));
    CALL(rmdir("f"));
    CALL(rmdir("f/"));
    CALL(rmdir("f/x"));
    CALL(rmdir("dangling"));
    CALL(symlink("b", "to-b"));
    CALL(rmdir("to-b"));
    CALL(rmdir("to-b/"));
    CALL(rmdir(name));
    CALL(rmdir(BAD_POINTER));
    CALL(rmdir("loop/x"));
    CALL(rmdir("/proc/self"));
    CALL(rmdir("/proc"));

    puts("-- permissions");
    mkdir("open", 0777), chmod("open", 0777), mkdir("open/roots", 0755), mkdir("closed", 0755), mkdir("closed/x", 0755);
    CHILD(become(1000, 1000); CALL(mkdir("closed/new", 0700)); CALL(mkdir("closed/x", 0700)); CALL(rmdir("closed/x"));
          CALL(mkdir("open/new", 0700)); CALL(rmdir("open/roots")); CALL(mkdir("open/mine", 0)); CALL(mkdir("open/mine/x", 0700));
          CALL(rmdir("open/mine/x")); CALL(rmdir("open/mine")));
    CHILD(chmod("sticky", 01777); become(1000, 1000); CALL(mkdir("sticky/mine", 0777)));
    CHILD(become(1001, 1001); CALL(rmdir("sticky/mine")); CALL(mkdir("sticky/other", 0777)));
    CHILD(become(1000, 1000); CALL(rmdir("sticky/other")); CALL(rmdir("sticky/mine")));

    puts("-- in use");
    CALL(mkdir("w", 0700));
    CALL(chdir("w"));
    CALL(rmdir("../w"));
    CALL(open("f", O_CREAT | O_RDWR, 0600));
    CALL(mkdir("x", 0700));
    CALL(open(".", O_RDONLY));
    CALL(close(3));
    CALL(stat(".", &st));
    CALL(access("..", F_OK));
    CALL(chdir(".."));
    CALL(access("f", F_OK));
    leave_tmpfs();
    return 0;
}
