/* rename, renameat2: files and directories over each other, subtrees, flags, permissions. */
#include "check.h"
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif

static void put(const char *path, const char *text) {
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    write(fd, text, strlen(text));
    close(fd);
}

static void get(const char *path) {
    char buf[32];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        printf("%s: %s\n", path, errno_name(errno));
        return;
    }
    int n = read(fd, buf, sizeof buf);
    if (n < 0)
        printf("%s: %s\n", path, errno_name(errno));
    else
        printf("%s: %.*s\n", path, n, buf);
    close(fd);
}

static long links(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 ? (long)st.st_nlink : -1;
}

int main(void) {
    char name[300];
    scratch_tmpfs("rename");
    memset(name, 'r', sizeof name);
    name[256] = 0;
    puts("-- files");
    put("a", "a"), put("b", "b");
    CALL(rename("a", "c"));
    get("a"), get("c");
    CALL(rename("c", "b"));
    get("c"), get("b");
    CALL(rename("b", "b"));
    CALL(link("b", "b2"));
    CALL(rename("b", "b2"));
    CALL(links("b"));
    CALL(links("b2"));
    int fd = open("b2", O_RDONLY);
    put("n", "n");
    CALL(unlink("b"));
    CALL(rename("n", "b2"));
    struct stat st;
    fstat(fd, &st);
    printf("replaced: links %ld\n", (long)st.st_nlink);
    close(fd);
    CALL(rename("none", "x"));
    CALL(rename("b2", "none/x"));
    CALL(rename("none/x", "b2"));
    CALL(rename("b2", ""));
    CALL(rename("", "b2"));
    CALL(rename("b2", name));
    CALL(rename(name, "b2"));
    CALL(rename("b2", BAD_POINTER));
    CALL(rename(BAD_POINTER, "b2"));
    CALL(rename("b2/", "x"));
    CALL(rename("b2", "x/"));
    CALL(rename("b2/x", "x"));

    puts("-- directories");
    mkdir("d", 0755), mkdir("empty", 0755), mkdir("full", 0755), put("full/f", "f"), mkdir("d/sub", 0755);
    CALL(rename("d", "full"));
    CALL(rename("d", "empty"));
    CALL(access("empty/sub", F_OK));
    CALL(access("d", F_OK));
    CALL(rename("empty", "d/"));
    CALL(rename("d/", "d2/"));
    CALL(rename("d2", "d"));
    CALL(rename("b2", "d"));
    CALL(rename("b2", "full/f"));
    put("b2", "b2");
    CALL(rename("d", "b2"));
    CALL(rename("d", "d/sub/x"));
    CALL(rename("d", "d/x"));
    CALL(rename("d", "d"));
    CALL(rename("d/sub", "d"));
    CALL(rename("d/sub", "full"));
    CALL(links("d"));
    CALL(links("full"));
    CALL(rename("d/sub", "full/sub"));
    CALL(links("d"));
    CALL(links("full"));
    CALL(access("full/sub/../f", F_OK));
    CALL(rename("d/.", "x"));
    CALL(rename("d", "."));
    CALL(rename(".", "x"));
    CALL(rename("..", "x"));
    CALL(rename("d", "full/.."));
    CALL(rename("/", "x"));
    CALL(rename("d", "/"));
    CALL(rename("d", "/proc"));
    CALL(rename("/proc", "x"));
    CALL(rename("b2", "/proc/x"));

    puts("-- symbolic links");
    CALL(symlink("b2", "s"));
    CALL(symlink("d", "sd"));
    CALL(rename("s", "s2"));
    HOLDS(lstat("s2", &st) == 0 && S_ISLNK(st.st_mode));
    put("over", "over");
    CALL(rename("over", "s2"));
    get("s2"), get("b2");
    CALL(rename("sd/", "x"));
    CALL(rename("d", "sd"));
    CALL(rename("sd", "d"));
    CALL(rename("sd", "full/sd"));

    puts("-- renameat2");
    put("p", "p"), put("q", "q");
    CALL(renameat2(AT_FDCWD, "p", AT_FDCWD, "q", RENAME_NOREPLACE));
    CALL(renameat2(AT_FDCWD, "p", AT_FDCWD, "p", RENAME_NOREPLACE));
    CALL(renameat2(AT_FDCWD, "p", AT_FDCWD, "r", RENAME_NOREPLACE));
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, "q", RENAME_EXCHANGE));
    get("r"), get("q");
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, "none", RENAME_EXCHANGE));
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, "full", RENAME_EXCHANGE));
    get("full");
    CALL(access("r/f", F_OK));
    CALL(renameat2(AT_FDCWD, "r/sub", AT_FDCWD, "r", RENAME_EXCHANGE));
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, "r/sub", RENAME_EXCHANGE));
    CALL(links("r"));
    CALL(links("d"));
    CALL(renameat2(AT_FDCWD, "r/sub", AT_FDCWD, "d", RENAME_EXCHANGE));
    CALL(links("r"));
    CALL(links("d"));
    CALL(renameat2(AT_FDCWD, "r/sub", AT_FDCWD, "q", RENAME_EXCHANGE));
    CALL(links("r"));
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, "q", RENAME_EXCHANGE | RENAME_NOREPLACE));
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, "q", RENAME_EXCHANGE | RENAME_WHITEOUT));
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, "q", 8));
    CALL(renameat2(AT_FDCWD, "none", AT_FDCWD, "q", RENAME_NOREPLACE));
    CALL(renameat2(AT_FDCWD, "r", AT_FDCWD, ".", RENAME_NOREPLACE));

    puts("-- permissions");
    mkdir("w", 0777), chmod("w", 0777), mkdir("x", 0777), chmod("x", 0777), mkdir("r-x", 0755);
    put("w/f", "f"), mkdir("w/d", 0755), mkdir("w/own", 0755), chown("w/own", 1000, 1000), put("r-x/f", "f");
    mkdir("sticky", 0777), chmod("sticky", 01777), put("sticky/f", "f"), put("sticky/mine", "m"), chown("sticky/mine", 1000, 1000);
    CHILD(become(1000, 1000); CALL(rename("w/f", "x/f")); CALL(rename("w/d", "w/e")); CALL(rename("w/e", "x/e"));
          CALL(rename("w/own", "x/own")); CALL(rename("x/own", "w/own")); CALL(rename("r-x/f", "w/g")); CALL(rename("x/f", "r-x/g"));
          CALL(rename("x/f", "r-x/f")); CALL(rename("sticky/f", "sticky/g")); CALL(rename("sticky/mine", "sticky/f"));
          CALL(rename("x/f", "sticky/f")); CALL(rename("sticky/mine", "sticky/own")); CALL(rename("sticky/own", "w/mine"));
          chmod("w/own", 0555); CALL(rename("w/own", "w/own2")); CALL(rename("w/own2", "x/own")));

    puts("-- the working directory");
    CALL(mkdir("here", 0755));
    CALL(chdir("here"));
    CALL(rename("../here", "../there"));
    CALL(mkdir("in", 0755));
    CALL(access("../there/in", F_OK));
    CALL(chdir(".."));
    leave_tmpfs();
    return 0;
}
