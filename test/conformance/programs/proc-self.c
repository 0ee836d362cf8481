/* /proc/self: links, status, stat, cmdline, environ, maps, fd; what is read is what is so. */
#include "check.h"
#include <ctype.h>
#include <sys/prctl.h>

static char buf[65536];

static int slurp(const char *path) {
    int fd = open(path, O_RDONLY), n = 0, m;
    if (fd < 0) {
        printf("%s: %s\n", path, errno_name(errno));
        return -1;
    }
    while ((m = read(fd, buf + n, sizeof buf - 1 - n)) > 0)
        n += m;
    buf[n] = 0;
    close(fd);
    return n;
}

/* The text behind `name:` in status. */
static const char *field(const char *name) {
    static char value[256];
    char key[64];
    snprintf(key, sizeof key, "\n%s:\t", name);
    char *at = strstr(buf, key);
    if (at == NULL)
        return "absent";
    at += strlen(key);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
    return value;
}

/* Whether two addresses have the same mapping with these rights. */
static void mapped(const char *label, void *address) {
    char *line = buf;
    for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        unsigned long from, to;
        char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && (unsigned long)address >= from && (unsigned long)address < to) {
            printf("%s: %s\n", label, rights);
            return;
        }
    }
    printf("%s: not mapped\n", label);
}

static int data = 1;

int main(int count, char **arguments) {
    if (count < 3) {
        char *again[] = {"proc self", "two words", "", "last", NULL}, *environment[] = {"A=1", "B=two words", NULL};
        execve("/proc/self/exe", again, environment);
        return 97;
    }
    scratch_tmpfs("proc-self");
    puts("-- links");
    char link[256] = "", want[256];
    readlink("/proc/self", link, sizeof link);
    snprintf(want, sizeof want, "%d", getpid());
    HOLDS(strcmp(link, want) == 0);
    memset(link, 0, sizeof link);
    CALL(readlink("/proc/self/cwd", link, sizeof link) > 0);
    HOLDS(strcmp(link, getcwd(want, sizeof want)) == 0);
    memset(link, 0, sizeof link);
    CALL(readlink("/proc/self/root", link, sizeof link));
    puts(link);
    CALL(readlink("/proc/self/exe", link, sizeof link) > 0);
    CALL(readlink("/proc/self/status", link, sizeof link));
    CALL(access("/proc/self/exe", X_OK));
    CALL(open("/proc/self/cwd/x", O_CREAT | O_RDWR, 0600));
    CALL(access("x", F_OK));
    memset(link, 0, sizeof link);
    CALL(readlink("/proc/self/fd/3", link, sizeof link) > 0);
    HOLDS(strcmp(link + strlen(link) - 2, "/x") == 0);
    CALL(unlink("x"));
    memset(link, 0, sizeof link);
    CALL(readlink("/proc/self/fd/3", link, sizeof link) > 0);
    HOLDS(strcmp(link + strlen(link) - 12, "/x (deleted)") == 0);
    CALL(readlink("/proc/self/fd/44", link, sizeof link));
    CALL(write(3, "still", 5));
    CALL(open("/proc/self/fd/3", O_RDONLY));
    CALL(read(4, buf, 10));
    struct stat st;
    CALL(lstat("/proc/self/fd/3", &st));
    printf("%o\n", st.st_mode);
    CALL(lstat("/proc/self/fd/4", &st));
    printf("%o\n", st.st_mode);
    CALL(stat("/proc/self/fd/3", &st));
    printf("%o\n", st.st_mode);
    CALL(close(4));

    puts("-- cmdline and environ");
    int n = slurp("/proc/self/cmdline");
    printf("%d:", n);
    for (int i = 0; i < n; i++)
        putchar(buf[i] ? buf[i] : '|');
    puts("");
    n = slurp("/proc/self/environ");
    printf("%d:", n);
    for (int i = 0; i < n; i++)
        putchar(buf[i] ? buf[i] : '|');
    puts("");
    prctl(PR_SET_NAME, "a (b) c");
    slurp("/proc/self/comm");
    printf("%s", buf);

    puts("-- status");
    gid_t groups[] = {5, 9};
    setgroups(2, groups);
    umask(027);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR2, SIG_IGN);
    raise(SIGUSR1);
    n = slurp("/proc/self/status");
    memmove(buf + 1, buf, n + 1), buf[0] = '\n';
    const char *names[] = {"Name", "Umask", "State", "TracerPid", "Uid", "Gid", "Groups", "Threads", "SigBlk", "SigIgn"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        printf("%s: %s\n", names[i], field(names[i]));
    HOLDS(atoi(field("Pid")) == getpid());
    HOLDS(atoi(field("Tgid")) == getpid());
    HOLDS(atoi(field("PPid")) == getppid());
    HOLDS(strstr(field("VmSize"), " kB") != NULL);
    HOLDS(atoi(field("VmRSS")) > 0 && atoi(field("VmRSS")) <= atoi(field("VmSize")));
    unsigned long pending = strtoul(field("SigPnd"), NULL, 16) | strtoul(field("ShdPnd"), NULL, 16);
    printf("pending %lx\n", pending);

    puts("-- stat");
    slurp("/proc/self/stat");
    char *behind = strrchr(buf, ')');
    int pid = atoi(buf);
    HOLDS(pid == getpid());
    *behind = 0;
    puts(strchr(buf, '('));
    char *fields[64];
    int many = 0;
    for (char *word = strtok(behind + 1, " \n"); word; word = strtok(NULL, " \n"))
        fields[many++] = word;
    printf("%d fields, state %s\n", many + 2, fields[0]);
    HOLDS(atoi(fields[1]) == getppid());
    HOLDS(atoi(fields[2]) == getpgrp());
    HOLDS(atoi(fields[3]) == getsid(0));
    printf("priority %s nice %s threads %s\n", fields[15], fields[16], fields[17]);
    HOLDS(strtoul(fields[20], NULL, 10) > 0);
    HOLDS(strtoul(fields[21], NULL, 10) > 0);
    slurp("/proc/self/statm");
    int numbers = 1;
    for (char *c = buf; *c; c++)
        numbers += *c == ' ';
    printf("statm: %d numbers\n", numbers);

    puts("-- maps");
    int local = 0;
    char *heap = malloc(10);
    slurp("/proc/self/maps");
    mapped("code", (void *)main);
    mapped("data", &data);
    mapped("stack", &local);
    mapped("heap", heap);
    mapped("nothing", (void *)0x1000);
    HOLDS(strstr(buf, "[stack]\n") != NULL);
    HOLDS(strstr(buf, "[heap]\n") != NULL);
    int shape = 1, lines = 0;
    unsigned long last = 0;
    for (char *line = buf; *line; line = strchr(line, '\n') + 1, lines++) {
        unsigned long from, to, offset, ino;
        unsigned major, minor;
        char rights[8];
        if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &from, &to, rights, &offset, &major, &minor, &ino) != 7 || from >= to || from < last)
            shape = 0;
        last = to;
    }
    HOLDS(shape && lines > 4);

    puts("-- what cannot be done");
    CALL(open("/proc/self/status", O_WRONLY));
    CHILD(become(1000, 1000); CALL(open("/proc/self/status", O_WRONLY)); CALL(open("/proc/1/environ", O_RDONLY)); CALL(readlink("/proc/1/cwd", link, 10));
          CALL(open("/proc/1/status", O_RDONLY) > 0); CALL(open("/proc/1/fd", O_RDONLY)));
    CALL(unlink("/proc/self/status"));
    CALL(mkdir("/proc/self/x", 0700));
    CALL(mkdir("/proc/x", 0700));
    CALL(open("/proc/self/x", O_CREAT | O_RDWR, 0600));
    CALL(access("/proc/999999", F_OK));
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    siginfo_t info;
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    slurp(path);
    printf("zombie: %c\n", strrchr(buf, ')')[2]);
    snprintf(path, sizeof path, "/proc/%d/cmdline", child);
    CALL(slurp(path));
    snprintf(path, sizeof path, "/proc/%d/exe", child);
    CALL(readlink(path, link, 10));
    waitpid(child, NULL, 0);
    CALL(access(path, F_OK));
    close(3);
    leave_tmpfs();
    return 0;
}
