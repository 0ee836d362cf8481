/* setuid, setreuid, setresuid, setfsuid and the same for groups; getgroups, setgroups; what a process without rights may. */
#include "check.h"
#include <sys/fsuid.h>

static void ids(const char *label) {
    uid_t r, e, s;
    gid_t gr, ge, gs;
    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    printf("%s: uid %d %d %d gid %d %d %d\n", label, r, e, s, gr, ge, gs);
    fflush(stdout);
}

static void file_ids(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[512];
    while (fgets(line, sizeof line, status))
        if (strncmp(line, "Uid", 3) == 0 || strncmp(line, "Gid", 3) == 0 || strncmp(line, "CapEff", 6) == 0)
            printf("%s", strncmp(line, "CapEff", 6) ? line : strstr(line, "0000000000000000") ? "no rights\n" : "rights\n");
    fclose(status);
}

int main(void) {
    ids("start");
    uid_t r;
    CALL(syscall(SYS_getresuid, &r, &r, UNMAPPED));
    CALL(syscall(SYS_getresuid, UNMAPPED, &r, &r));
    CALL(syscall(SYS_getresgid, &r, &r, BAD_POINTER));
    CALL(syscall(SYS_setuid, -1));
    CALL(syscall(SYS_setgid, -1));
    CALL(syscall(SYS_setreuid, -1, -1));
    CALL(syscall(SYS_setresuid, -1, -1, -1));
    CALL(syscall(SYS_setresgid, -1, -1, -1));
    ids("unchanged");
    CHILD({
        CALL(syscall(SYS_setuid, 1000));
        ids("setuid");
        CALL(syscall(SYS_setuid, 0));
        CALL(syscall(SYS_setuid, 1001));
        CALL(syscall(SYS_setuid, 1000));
        CALL(syscall(SYS_setgid, 5));
        CALL(syscall(SYS_setreuid, 0, -1));
        CALL(syscall(SYS_setresuid, -1, 0, -1));
        CALL(syscall(SYS_setgroups, 0, NULL));
        file_ids();
    });
    CHILD({
        CALL(syscall(SYS_setresuid, -1, 1000, -1));
        ids("effective");
        file_ids();
        CALL(syscall(SYS_setgid, 5));
        CALL(syscall(SYS_setuid, 1001));
        CALL(syscall(SYS_setuid, 0));
        ids("back");
        CALL(syscall(SYS_setgid, 5));
        CALL(syscall(SYS_setuid, 1001));
        ids("for good");
    });
    CHILD({
        CALL(syscall(SYS_setresuid, 1, 2, 3));
        ids("three");
        CALL(syscall(SYS_setuid, 3));
        ids("saved becomes effective");
        CALL(syscall(SYS_setuid, 2));
        CALL(syscall(SYS_setuid, 1));
        ids("real becomes effective");
        CALL(syscall(SYS_setresuid, 3, 1, 1));
        ids("exchanged");
        CALL(syscall(SYS_setreuid, -1, 3));
        ids("effective alone");
        CALL(syscall(SYS_setreuid, 1, -1));
        CALL(syscall(SYS_setresuid, 2, -1, -1));
    });
    CHILD({
        CALL(syscall(SYS_setreuid, 1, 2));
        ids("setreuid");
        CALL(syscall(SYS_setreuid, 2, 1));
        ids("swapped");
        CALL(syscall(SYS_setreuid, -1, 2));
        ids("and");
        CALL(syscall(SYS_setreuid, 3, -1));
    });
    CHILD({
        CALL(syscall(SYS_setregid, 1, 2));
        ids("setregid");
        CALL(syscall(SYS_setuid, 1000));
        CALL(syscall(SYS_setregid, 2, 1));
        ids("swapped");
        CALL(syscall(SYS_setregid, 0, -1));
        CALL(syscall(SYS_setresgid, 1, 1, 1));
        CALL(syscall(SYS_setgid, 2));
        ids("group for good");
    });
    CHILD({
        CALL(syscall(SYS_setfsuid, 1000));
        CALL(syscall(SYS_setfsuid, -1));
        CALL(syscall(SYS_setfsgid, 1001));
        CALL(syscall(SYS_setfsgid, -1));
        file_ids();
        CALL(syscall(SYS_setfsuid, 0));
        CALL(syscall(SYS_setresuid, 5, 6, 7));
        CALL(syscall(SYS_setfsuid, 7));
        CALL(syscall(SYS_setfsuid, 8));
        CALL(syscall(SYS_setfsuid, 5));
        file_ids();
    });
    /* Files are made with, and refused to, the file system ids. */
    scratch("credentials");
    chmod(".", 0777);
    int fd = open("root's", O_CREAT | O_WRONLY, 0600);
    close(fd);
    CHILD({
        syscall(SYS_setfsgid, 77);
        syscall(SYS_setfsuid, 1000);
        CALL(open("root's", O_RDONLY));
        close(open("file", O_CREAT | O_WRONLY, 0644));
        struct stat st;
        stat("file", &st);
        printf("owner %d %d\n", st.st_uid, st.st_gid);
        syscall(SYS_setfsuid, 0);
        CALL(open("root's", O_RDONLY) >= 0);
    });
    CHILD({
        CALL(seteuid(1000));
        CALL(open("root's", O_RDONLY));
        CALL(access("root's", R_OK));
        CALL(faccessat(AT_FDCWD, "root's", R_OK, AT_EACCESS));
        CALL(seteuid(0));
        CALL(open("root's", O_RDONLY) >= 0);
    });

    gid_t groups[70000];
    CHILD({
        CALL(syscall(SYS_setgroups, 0, NULL));
        CALL(syscall(SYS_getgroups, 0, NULL));
        groups[0] = 30, groups[1] = 10, groups[2] = 20, groups[3] = 10;
        CALL(syscall(SYS_setgroups, 4, groups));
        memset(groups, 0, sizeof groups);
        CALL(syscall(SYS_getgroups, 0, NULL));
        CALL(syscall(SYS_getgroups, 10, groups));
        printf("%d %d %d %d\n", groups[0], groups[1], groups[2], groups[3]);
        CALL(syscall(SYS_getgroups, 3, groups));
        CALL(syscall(SYS_getgroups, -1, groups));
        CALL(syscall(SYS_getgroups, 4, UNMAPPED));
        CALL(syscall(SYS_setgroups, -1, groups));
        CALL(syscall(SYS_setgroups, 65537, groups));
        CALL(syscall(SYS_setgroups, 1, UNMAPPED));
        groups[0] = -1;
        CALL(syscall(SYS_setgroups, 1, groups));
        for (int i = 0; i < 65536; i++)
            groups[i] = i;
        CALL(syscall(SYS_setgroups, 65536, groups));
        CALL(syscall(SYS_getgroups, 0, NULL));
        groups[0] = 42;
        CALL(syscall(SYS_setgroups, 1, groups));
        /* Inherited, and good for files. */
        chown("root's", 0, 42);
        chmod("root's", 0640);
        CHILD({
            setgid(1);
            setuid(1000);
            CALL(syscall(SYS_getgroups, 0, NULL));
            CALL(open("root's", O_RDONLY) >= 0);
            CALL(open("root's", O_WRONLY));
        });
    });
    return 0;
}
