/* symlink, readlink, and walking over symbolic links: loops, depth, trailing slashes, lengths. */
#include "check.h"

int main(void) {
    char buf[5000], target[5000], name[32], next[32];
    struct stat st;
    scratch_tmpfs("symlink");
    memset(target, 't', sizeof target);
    CALL(symlink("target", "l"));
    CALL(symlink("target", "l"));
    CALL(symlink("", "e"));
    CALL(symlink("target", ""));
    CALL(symlink("target", "none/x"));
    CALL(symlink("target", "x/"));
    CALL(symlink(BAD_POINTER, "x"));
    CALL(symlink("x", BAD_POINTER));
    target[4095] = 0;
    CALL(symlink(target, "long"));
    CALL(lstat("long", &st));
    printf("size %ld\n", (long)st.st_size);
    CALL(readlink("long", buf, sizeof buf));
    target[4095] = 't', target[4096] = 0;
    CALL(symlink(target, "longer"));
    CALL(stat("long", &st));

    puts("-- readlink");
    memset(buf, '.', sizeof buf);
    CALL(readlink("l", buf, 100));
    printf("%.8s\n", buf);
    memset(buf, '.', sizeof buf);
    CALL(readlink("l", buf, 3));
    printf("%.8s\n", buf);
    CALL(readlink("l", buf, 0));
    CALL(readlink("l", buf, -1));
    CALL(readlink("l", UNMAPPED, 10));
    CALL(readlink("none", buf, 10));
    CALL(readlink("", buf, 10));
    CALL(readlink(".", buf, 10));
    CALL(readlink("l/", buf, 10));
    CALL(readlink(BAD_POINTER, buf, 10));
    CALL(mkdir("d", 0755));
    CALL(readlink("d", buf, 10));

    puts("-- walking");
    CALL(close(open("d/f", O_CREAT | O_RDWR, 0644)));
    CALL(symlink("d", "to-d"));
    CALL(symlink("d/f", "to-f"));
    CALL(symlink("d/", "to-d-slash"));
    CALL(symlink("d/f/", "to-f-slash"));
    CALL(symlink("../to-d/../to-d", "d/round"));
    CALL(stat("to-d/f", &st));
    CALL(stat("to-d/round/round/f", &st));
    CALL(stat("to-d-slash/f", &st));
    CALL(stat("to-f-slash", &st));
    CALL(stat("to-f/", &st));
    CALL(lstat("to-d", &st));
    HOLDS(S_ISLNK(st.st_mode));
    CALL(lstat("to-d/", &st));
    HOLDS(S_ISDIR(st.st_mode));
    CALL(lstat("to-d/.", &st));
    HOLDS(S_ISDIR(st.st_mode));
    CALL(symlink("/", "abs"));
    CALL(stat("abs/proc", &st));
    CALL(symlink("a", "b"));
    CALL(symlink("b", "a"));
    CALL(stat("a", &st));
    CALL(lstat("a", &st));
    CALL(lstat("a/", &st));
    CALL(open("a", O_CREAT | O_RDWR, 0644));

    puts("-- depth");
    symlink("d", "n0");
    for (int i = 1; i < 45; i++) {
        snprintf(name, sizeof name, "n%d", i);
        snprintf(next, sizeof next, "n%d", i - 1);
        symlink(next, name);
    }
    CALL(stat("n38/f", &st));
    CALL(stat("n39/f", &st));
    CALL(stat("n40/f", &st));
    CALL(stat("n41/f", &st));
    CALL(lstat("n40", &st));

    puts("-- attributes");
    lstat("l", &st);
    printf("%o %ld\n", st.st_mode, (long)st.st_nlink);
    CALL(lchown("l", 5, 6));
    lstat("l", &st);
    printf("%d:%d\n", st.st_uid, st.st_gid);
    CALL(chmod("l", 0600));
    CALL(close(open("target", O_CREAT | O_RDWR, 0644)));
    CALL(chmod("l", 0600));
    stat("target", &st);
    printf("%o %d\n", st.st_mode, st.st_uid);
    mkdir("closed", 0700), symlink("../d", "closed/l");
    symlink("closed/l", "through");
    CHILD(become(1000, 1000); CALL(readlink("closed/l", buf, 10)); CALL(stat("through", &st)); CALL(readlink("through", buf, 20)); CALL(symlink("x", "y")));
    leave_tmpfs();
    return 0;
}
