/* execve of programs with the set-user-ID and set-group-ID bits, execute permissions, no_new_privs, AT_SECURE. */
#include "check.h"
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

extern char **environ;

static void copy(const char *from, const char *to, int uid, int gid, int mode) {
    static char buffer[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0700);
    ssize_t count;
    while ((count = read(in, buffer, sizeof buffer)) > 0)
        write(out, buffer, count);
    close(in);
    fchown(out, uid, gid);
    fchmod(out, mode);
    close(out);
}

static int show(void) {
    uid_t r, e, s;
    gid_t gr, ge, gs;
    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    printf("uid %d %d %d gid %d %d %d secure %d dumpable %d auxv %d %d %d %d\n", r, e, s, gr, ge, gs,
           (int)getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE) == 1, (int)getauxval(AT_UID), (int)getauxval(AT_EUID),
           (int)getauxval(AT_GID), (int)getauxval(AT_EGID));
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) == 0)
        printf("permitted %s effective %s\n", sets[0].permitted ? "some" : "none", sets[0].effective ? "some" : "none");
    return 0;
}

#define AS(uid, gid, ...)                                                                                              \
    CHILD({                                                                                                            \
        become(uid, gid);                                                                                              \
        __VA_ARGS__;                                                                                                   \
    })

int main(int argc, char **argv) {
    if (argc > 1)
        return show();
    scratch("exec-ids");
    chmod(".", 0755);
    char self[256] = "";
    readlink("/proc/self/exe", self, sizeof self - 1);
    copy(self, "plain", 0, 0, 0755);
    copy(self, "setuid-root", 0, 0, 04755);
    copy(self, "setuid-2000", 2000, 2000, 04755);
    copy(self, "setgid-2000", 2000, 2000, 02755);
    copy(self, "setgid-without-x", 2000, 2000, 02745);
    copy(self, "both", 2000, 2001, 06755);
    copy(self, "owner-only", 1000, 1000, 0700);
    copy(self, "others-only", 1000, 1000, 0007);
    copy(self, "group-only", 0, 3000, 0070);
    copy(self, "none", 0, 0, 0644);
    copy(self, "execute-only", 0, 0, 0711);
    int fd = open("script", O_CREAT | O_WRONLY, 0755);
    char line[300];
    snprintf(line, sizeof line, "#!%s show\n", self);
    write(fd, line, strlen(line));
    close(fd);
    chown("script", 2000, 2000);
    chmod("script", 06755);
#define RUN(name) execl("./" name, name, "show", NULL), printf("%s: %s\n", name, errno_name(errno))
    CHILD(RUN("plain"));
    CHILD(RUN("setuid-2000"));
    CHILD(RUN("setgid-2000"));
    CHILD(RUN("none"));
    CHILD(RUN("owner-only"));
    AS(1000, 1000, RUN("plain"));
    AS(1000, 1000, RUN("setuid-root"));
    AS(1000, 1000, RUN("setuid-2000"));
    AS(1000, 1000, RUN("setgid-2000"));
    AS(1000, 1000, RUN("setgid-without-x"));
    AS(1000, 1000, RUN("both"));
    AS(1000, 1000, RUN("owner-only"));
    AS(1000, 1000, RUN("others-only"));
    AS(1001, 1000, RUN("others-only"));
    AS(1001, 1001, RUN("others-only"));
    AS(1001, 1001, RUN("owner-only"));
    AS(1001, 1001, RUN("group-only"));
    AS(1001, 3000, RUN("group-only"));
    AS(1001, 3000, RUN("none"));
    AS(1001, 3000, RUN("execute-only"));
    /* Scripts have no ids to give. */
    AS(1001, 1001, RUN("script"));
    AS(1000, 1000, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); RUN("setuid-root"));
    AS(1000, 1000, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); RUN("both"));
    /* The saved id follows the effective one. */
    CHILD({
        setresuid(1000, 1001, 1002);
        RUN("plain");
    });
    CHILD({
        setresuid(1000, 0, 1002);
        RUN("plain");
    });
    CHILD({
        setresuid(0, 1000, 1000);
        RUN("plain");
    });
    CHILD({
        /* Real group equal to the file's: no change of ids to speak of. */
        setgroups(0, NULL);
        setgid(2000);
        setuid(2000);
        RUN("both");
    });
    /* A directory that cannot be searched. */
    mkdir("closed", 0700);
    copy(self, "closed/plain", 0, 0, 0755);
    AS(1000, 1000, RUN("closed/plain"));
    CHILD(RUN("closed/plain"));
    /* A file that is written to. */
    fd = open("plain", O_WRONLY);
    CHILD(RUN("plain"));
    close(fd);
    return 0;
}
