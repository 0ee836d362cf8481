/* execveat(2) and fexecve(3): descriptors, folders, flags; what scripts are told; chains of interpreters. */
#include "check.h"
#include <sys/auxv.h>

extern char **environ;

static int shown(int argc, char **argv) {
    /* Numbers of descriptors are fixed (dup2); the folder's name is not. */
    const char *name = (char *)getauxval(AT_EXECFN);
    printf("execfn %s:", strncmp(name, "/tmp", 4) ? name : strrchr(name, '/'));
    for (int i = 0; i < argc; i++)
        printf(" [%s]", strncmp(argv[i], "/tmp", 4) ? argv[i] : strrchr(argv[i], '/'));
    printf("\n");
    return 0;
}

static void script(const char *name, const char *line) {
    int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    write(fd, line, strlen(line));
    close(fd);
}

static void start(const char *what, int fd, const char *path, int flags) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {"show", "one", NULL};
        syscall(SYS_execveat, fd, path, argv, environ, flags);
        printf("%s: %s\n", what, errno_name(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status != 0)
        show_status(what, status);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return shown(argc, argv);
    scratch("execveat");
    char self[200], line[300];
    self[readlink("/proc/self/exe", self, sizeof self - 1)] = 0;
    int in = open(self, O_RDONLY), out = open("show", O_CREAT | O_WRONLY, 0755);
    char buffer[65536];
    for (long n; (n = read(in, buffer, sizeof buffer)) > 0;)
        write(out, buffer, n);
    close(in);
    close(out);
    getcwd(self, sizeof self);
    strcat(self, "/show");
    snprintf(line, sizeof line, "#!%s argument\n", self);
    script("script", line);
    mkdir("folder", 0755);
    script("folder/inner", line);
    symlink("show", "link");
    symlink("script", "script-link");
    script("plain", "no program\n");
    chmod("plain", 0644);

    dup2(open("show", O_RDONLY), 50);
    dup2(open("show", O_PATH), 51);
    dup2(open("script", O_RDONLY), 52);
    dup3(open("script", O_RDONLY), 53, O_CLOEXEC);
    dup2(open("folder", O_RDONLY), 54);
    dup3(open("folder", O_RDONLY), 55, O_CLOEXEC);
    dup2(open("plain", O_RDONLY), 56);
    dup2(open("link", O_PATH | O_NOFOLLOW), 57);
    dup3(open("show", O_RDONLY), 58, O_CLOEXEC);

    start("a program", 50, "", AT_EMPTY_PATH);
    start("by O_PATH", 51, "", AT_EMPTY_PATH);
    start("closed by it", 58, "", AT_EMPTY_PATH);
    start("a script", 52, "", AT_EMPTY_PATH);
    start("a script that is closed", 53, "", AT_EMPTY_PATH);
    start("in a folder", 54, "inner", 0);
    start("in a folder that is closed", 55, "inner", 0);
    start("above a folder", 54, "../show", 0);
    start("a path", AT_FDCWD, "show", 0);
    start("a script's path", AT_FDCWD, "script", 0);
    start("an absolute path", 999, self, 0);
    start("a link", AT_FDCWD, "link", 0);
    start("a link not followed", AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW);
    start("a link to a script", AT_FDCWD, "script-link", 0);
    start("no link, not followed", AT_FDCWD, "show", AT_SYMLINK_NOFOLLOW);
    start("a descriptor of a link", 57, "", AT_EMPTY_PATH);
    start("empty without the flag", 50, "", 0);
    start("a bad descriptor", 999, "", AT_EMPTY_PATH);
    start("a bad descriptor and path", 999, "show", 0);
    start("a file as folder", 50, "x", 0);
    start("a folder", 54, "", AT_EMPTY_PATH);
    start("not executable", 56, "", AT_EMPTY_PATH);
    start("missing", AT_FDCWD, "missing", 0);
    start("bad flags", AT_FDCWD, "show", 0x40000);
    start("the folder itself", AT_FDCWD, "", AT_EMPTY_PATH);

    /* /dev/fd by hand, and fexecve. */
    start("/dev/fd", AT_FDCWD, "/dev/fd/50", 0);
    start("/proc/self/fd", AT_FDCWD, "/proc/self/fd/52", 0);
    CHILD({
        char *args[] = {"show", "two", NULL};
        fexecve(50, args, environ);
    });

    /* Interpreters of interpreters. */
    char previous[250];
    strcpy(previous, self);
    for (int depth = 1; depth <= 7; depth++) {
        snprintf(line, sizeof line, "#!%s %d\n", previous, depth);
        snprintf(buffer, sizeof buffer, "chain%d", depth);
        script(buffer, line);
        start(buffer, AT_FDCWD, buffer, 0);
        *strrchr(previous, '/') = 0;
        strcat(previous, "/");
        strcat(previous, buffer);
    }
    script("itself", "#!./itself\n");
    start("itself", AT_FDCWD, "itself", 0);
    script("nothing", "#!\n");
    start("nothing", AT_FDCWD, "nothing", 0);
    script("spaces", "#!   \t \n");
    start("spaces", AT_FDCWD, "spaces", 0);
    script("no-such", "#!/nowhere/program\n");
    start("no such interpreter", AT_FDCWD, "no-such", 0);
    script("to-folder", "#!/tmp\n");
    start("a folder as interpreter", AT_FDCWD, "to-folder", 0);
    script("to-plain", "#!./plain\n");
    start("an interpreter that is not executable", AT_FDCWD, "to-plain", 0);
    snprintf(line, sizeof line, "#! \t%s \t several words  here \t \n", self);
    script("words", line);
    start("words", AT_FDCWD, "words", 0);
    snprintf(line, sizeof line, "#!%s x", self);
    script("no-newline", line);
    start("no newline", AT_FDCWD, "no-newline", 0);
    script("empty", "");
    start("empty", AT_FDCWD, "empty", 0);
    script("text", "echo hello\n");
    start("text", AT_FDCWD, "text", 0);
    memset(line, 'x', 280);
    line[0] = '#';
    line[1] = '!';
    line[280] = 0;
    script("long", line);
    start("a long line", AT_FDCWD, "long", 0);
    return 0;
}
