/* execve, execveat: arguments, environment, auxiliary vector, scripts, errors, what survives and what does not. */
#include "check.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

extern char **environ;

static void put(const char *path, const char *text, int mode) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0700);
    write(fd, text, strlen(text));
    fchmod(fd, mode);
    close(fd);
}

static int shown(int argc, char **argv) {
    printf("argc %d:", argc);
    for (int i = 1; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf("\n");
    for (char **e = environ; *e; e++)
        printf("env [%s]\n", *e);
    HOLDS(((unsigned long)argv & 7) == 0);
    HOLDS(argv[argc] == NULL);
    HOLDS(getauxval(AT_PAGESZ) == 4096);
    HOLDS(getauxval(AT_PHENT) == 56);
    HOLDS(getauxval(AT_PHNUM) >= 3);
    HOLDS(getauxval(AT_BASE) == 0);
    HOLDS(getauxval(AT_FLAGS) == 0);
    HOLDS(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
    HOLDS(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    HOLDS(getauxval(AT_SECURE) == 0);
    HOLDS(getauxval(AT_CLKTCK) == 100);
    HOLDS(getauxval(AT_RANDOM) != 0);
    HOLDS(getauxval(AT_ENTRY) != 0);
    HOLDS(((Elf64_Phdr *)getauxval(AT_PHDR))->p_type != 0);
    HOLDS(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
    printf("execfn ends in %s\n", strrchr((char *)getauxval(AT_EXECFN), '/'));
    /* What exec changes: descriptors marked close-on-exec, caught signals; and keeps: ignored ones, the mask. */
    CALL(fcntl(10, F_GETFD));
    CALL(fcntl(11, F_GETFD));
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    HOLDS(action.sa_handler == SIG_DFL);
    sigaction(SIGUSR2, NULL, &action);
    HOLDS(action.sa_handler == SIG_IGN);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    HOLDS(sigismember(&mask, SIGTERM) == 1);
    stack_t stack;
    sigaltstack(NULL, &stack);
    HOLDS(stack.ss_flags == SS_DISABLE);
    char name[17] = "";
    int fd = open("/proc/self/comm", O_RDONLY);
    read(fd, name, 16);
    printf("comm %s", name);
    return 33;
}

static void handler(int signal) {}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return shown(argc, argv);
    if (argc > 0 && strcmp(argv[0], "status") == 0)
        return atoi(argv[1]);
    if (argc == 1 && argv[0][0] == 0) {
        printf("no arguments\n");
        return 0;
    }
    if (argc > 1 && strstr(argv[argc - 1], "script")) {
        printf("interpreter:");
        for (int i = 1; i < argc; i++)
            printf(" [%s]", argv[i]);
        printf("\n");
        return 0;
    }
    scratch("exec");
    char self[256] = "";
    readlink("/proc/self/exe", self, sizeof self - 1);
    char *environment[] = {"A=1", "EMPTY=", "B=x y", NULL};

    CHILD({
        signal(SIGUSR1, handler);
        signal(SIGUSR2, SIG_IGN);
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
        sigaltstack(&stack, NULL);
        dup2(1, 10);
        dup3(1, 11, O_CLOEXEC);
        link(self, "program-with-a-long-name");
        symlink(self, "linked");
        char *arguments[] = {"anything", "show", "", "two words", NULL};
        execve(access("program-with-a-long-name", X_OK) == 0 ? "./program-with-a-long-name" : "./linked", arguments, environment);
        perror("exec");
    });
    CHILD({
        char *arguments[] = {NULL};
        execve(self, arguments, environment);
    });
    CHILD(execve(self, NULL, NULL));

    char line[512];
    snprintf(line, sizeof line, "#!%s\n", self);
    put("script1", line, 0755);
    snprintf(line, sizeof line, "#! \t%s  one argument \t \nrest\n", self);
    put("script2", line, 0755);
    snprintf(line, sizeof line, "#!%s", self);
    put("script3", line, 0755);
    put("script-missing", "#!/no/such/interpreter\n", 0755);
    put("script-empty", "#!  \n", 0755);
    put("script-loop", "#!./script-loop\n", 0755);
    put("script-nest1", "#!./script2 deep\n", 0755);
    put("text", "echo hello\n", 0755);
    put("empty", "", 0755);
    put("not-executable", line, 0644);
    put("truncated", "\177ELF\2\1\1", 0755);
    for (int i = 1; i <= 3; i++)
        CHILD({
            char name[32];
            snprintf(name, sizeof name, "./script%d", i);
            execl(name, "ignored", "a", name, NULL);
            perror(name);
        });
    CHILD(execl("./script-nest1", "ignored", "./script-nest1", NULL));
    char *plain[] = {"status", "3", NULL};
    CALL(execve("./script-missing", plain, environment));
    CALL(execve("./script-empty", plain, environment));
    CALL(execve("./script-loop", plain, environment));
    CALL(execve("./text", plain, environment));
    CALL(execve("./empty", plain, environment));
    CALL(execve("./truncated", plain, environment));
    CALL(execve("./not-executable", plain, environment));
    CALL(execve("./missing", plain, environment));
    CALL(execve("./text/x", plain, environment));
    CALL(execve("/tmp", plain, environment));
    CALL(execve("", plain, environment));
    CALL(execve(UNMAPPED, plain, environment));
    CALL(execve(self, UNMAPPED, environment));
    char *bad[] = {"status", UNMAPPED, NULL};
    CALL(execve(self, bad, environment));
    CALL(execve(self, plain, bad));

    /* One string too long, and all together too long. */
    char *big = malloc(140000);
    memset(big, 'x', 139999);
    big[139999] = 0;
    char *one[] = {"status", big, NULL};
    CALL(execve(self, one, environment));
    char **many = malloc(40001 * sizeof *many);
    for (int i = 0; i < 40000; i++)
        many[i] = "status-of-some-length-so-that-it-adds-up-to-more-than-two-megabytes";
    many[40000] = NULL;
    CALL(execve(self, many, environment));
    CHILD({
        char **some = malloc(2001 * sizeof *some);
        for (int i = 0; i < 2000; i++)
            some[i] = "0123456789012345678901234567890123456789";
        some[0] = "status";
        some[1] = "9";
        some[2000] = NULL;
        execve(self, some, environment);
    });

    int fd = open(self, O_RDONLY | O_CLOEXEC);
    CHILD(syscall(SYS_execveat, fd, "", plain, environment, AT_EMPTY_PATH));
    CALL(syscall(SYS_execveat, fd, "", plain, environment, 0));
    CALL(syscall(SYS_execveat, fd, "x", plain, environment, 0));
    CALL(syscall(SYS_execveat, -1, "x", plain, environment, 0));
    CALL(syscall(SYS_execveat, AT_FDCWD, self, plain, environment, 12345));
    symlink(self, "link");
    CALL(syscall(SYS_execveat, AT_FDCWD, "link", plain, environment, AT_SYMLINK_NOFOLLOW));
    CHILD(syscall(SYS_execveat, AT_FDCWD, "link", plain, environment, 0));

    /* A parent in vfork goes on when the child executes. */
    fflush(stdout);
    volatile int seen = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        execve(self, plain, environment);
        _exit(1);
    }
    seen = 1;
    int status;
    waitpid(pid, &status, 0);
    show_status("vfork", status);
    return seen ? 0 : 1;
}
