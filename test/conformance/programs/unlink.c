/* unlink, link: names, hard links, sticky directories, files in use. */
#include "check.h"

static long links(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 ? (long)st.st_nlink : -1;
}

int main(void) {
    char name[300], buf[8] = "";
    scratch_tmpfs("unlink");
    memset(name, 'l', sizeof name);
    name[256] = 0;
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    write(fd, "data", 4);
    CALL(link("f", "g"));
    CALL(links("f"));
    CALL(link("f", "g"));
    CALL(link("f", "f"));
    CALL(link("none", "x"));
    CALL(link("f", "none/x"));
    CALL(link("f", "f/x"));
    CALL(link("f/", "x"));
    CALL(link("f", "x/"));
    CALL(link("f", ""));
    CALL(link("", "x"));
    CALL(link("f", name));
    CALL(link(BAD_POINTER, "x"));
    CALL(link("f", BAD_POINTER));
    CALL(mkdir("d", 0755));
    CALL(link("d", "x"));
    CALL(link("f", "d"));
    CALL(link("f", "d/"));
    CALL(symlink("f", "s"));
    CALL(link("s", "s2"));
    CALL(links("s"));
    CALL(symlink("nowhere", "dangling"));
    CALL(link("dangling", "dangling2"));
    CALL(links("dangling2"));
    CALL(link("f", "dangling"));
    CALL(symlink("loop", "loop"));
    CALL(link("loop/x", "x"));
    CALL(link("f", "/dev/shm-none/x"));

    puts("-- unlink");
    CALL(unlink("g"));
    CALL(links("f"));
    CALL(unlink("g"));
    CALL(unlink("d"));
    CALL(unlink("d/"));
    CALL(unlink("f/"));
    CALL(unlink("f/x"));
    CALL(unlink(""));
    CALL(unlink("."));
    CALL(unlink(".."));
    CALL(unlink("/"));
    CALL(unlink(name));
    CALL(unlink(BAD_POINTER));
    CALL(unlink("none/x"));
    CALL(unlink("loop/x"));
    CALL(unlink("s2"));
    CALL(links("f"));
    CALL(unlink("dangling"));
    CALL(unlink("loop"));
    CALL(unlink("/proc/self/status"));

    puts("-- in use");
    CALL(unlink("f"));
    CALL(open("f", O_RDONLY));
    CALL(pread(fd, buf, 4, 0));
    puts(buf);
    CALL(write(fd, "more", 4));
    CALL(lseek(fd, 0, SEEK_END));
    CALL(fchmod(fd, 0600));
    CALL(close(open("f", O_CREAT | O_RDWR, 0644)));
    CALL(lseek(fd, 0, SEEK_END));
    close(fd);

    puts("-- permissions");
    mkdir("sticky", 0777), chmod("sticky", 01777);
    mkdir("free", 0777), chmod("free", 0777);
    mkdir("closed", 0755);
    close(open("sticky/roots", O_CREAT, 0666)), close(open("free/roots", O_CREAT, 0600)), close(open("closed/f", O_CREAT, 0666));
    close(open("sticky/mine", O_CREAT, 0666)), chown("sticky/mine", 1000, 1000);
    CHILD(become(1000, 1000); CALL(unlink("closed/f")); CALL(unlink("closed/none")); CALL(unlink("free/roots"));
          CALL(unlink("sticky/roots")); CALL(unlink("sticky/mine")); CALL(link("closed/f", "closed/g"));
          CALL(rename("sticky/roots", "sticky/x")); CALL(rename("closed/f", "free/f")));
    CHILD(chown("sticky", 1000, 0); become(1000, 1000); CALL(unlink("sticky/roots")));
    leave_tmpfs();
    return 0;
}
