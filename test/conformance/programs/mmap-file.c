/* mmap of files: private and shared, past the end, unmapped parts, changes by write and truncate. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf jump;
static siginfo_t last;
static void jumper(int signal, siginfo_t *info, void *context) {
    last = *info;
    siglongjmp(jump, signal);
}

#define FAULT(...)                                                                                                     \
    do {                                                                                                               \
        int taken = sigsetjmp(jump, 1);                                                                                \
        if (taken == 0) {                                                                                              \
            __VA_ARGS__;                                                                                               \
            printf("%s: no fault\n", #__VA_ARGS__);                                                                    \
        } else                                                                                                         \
            printf("%s: SIG%s code %d\n", #__VA_ARGS__, sigabbrev_np(taken), last.si_code);                            \
        fflush(stdout);                                                                                                \
    } while (0)

int main(void) {
    scratch("mmap-file");
    struct sigaction action = {.sa_sigaction = jumper, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    char page[4096];
    for (int i = 0; i < 3; i++) {
        memset(page, 'a' + i, sizeof page);
        write(fd, page, sizeof page);
    }
    write(fd, "tail", 4);

    char *private = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    printf("%c %c %c %.4s %d\n", private[0], private[4096], private[2 * 4096 + 4095], private + 3 * 4096, private[3 * 4096 + 4]);
    private[0] = 'P';
    private[3 * 4096 + 10] = 'z';
    pread(fd, page, 1, 0);
    printf("file still %c\n", page[0]);
    FAULT((void)*(volatile char *)(private + 4 * 4096));

    char *shared = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    printf("shared %c %c\n", shared[0], shared[4096]);
    shared[1] = 'S';
    pread(fd, page, 2, 4096);
    printf("read sees %c%c\n", page[0], page[1]);
    CALL(msync(shared, 4096, MS_SYNC));
    pwrite(fd, "W", 1, 4096 + 2);
    printf("mapping sees %c\n", shared[2]);
    char *again = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
    shared[3] = 'T';
    printf("second mapping sees %c\n", again[3]);
    pid_t pid = fork();
    if (pid == 0) {
        shared[4] = 'C';
        private[5] = 'C';
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    printf("child's: %c %c\n", shared[4], private[5]);
    close(fd);
    printf("after close: %c\n", shared[0]);

    fd = open("file", O_RDONLY);
    pread(fd, page, 5, 4096);
    printf("file %.5s\n", page);
    HOLDS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
    char *readonly = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CALL(mprotect(readonly, 4096, PROT_READ | PROT_WRITE));
    FAULT(*(volatile char *)readonly = 1);
    HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1) == MAP_FAILED && errno == EINVAL);
    HOLDS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EINVAL);
    HOLDS(mmap(NULL, 4096, PROT_READ, 0, fd, 0) == MAP_FAILED && errno == EINVAL);
    HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
    HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
    HOLDS(mmap(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | 0x40000000, fd, 0) == MAP_FAILED && errno == EOPNOTSUPP);
    int folder = open(".", O_RDONLY);
    HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, folder, 0) == MAP_FAILED && errno == ENODEV);
    int out = open("file", O_WRONLY);
    HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, out, 0) == MAP_FAILED && errno == EACCES);
    int ends[2];
    pipe(ends);
    HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, ends[0], 0) == MAP_FAILED && errno == ENODEV);
    int zero = open("/dev/zero", O_RDWR);
    char *zeros = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    zeros[5] = 1;
    printf("zeros %d %d\n", zeros[0], zeros[5]);

    /* A buffer in a mapped file that no one has touched. */
    char *fresh = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    int copy = open("copy", O_RDWR | O_CREAT, 0644);
    CALL(write(copy, fresh + 4090, 12));
    pread(copy, page, 12, 0);
    printf("%.12s\n", page);

    /* Code from a file. */
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
    int program = open("code", O_RDWR | O_CREAT, 0755);
    write(program, code, sizeof code);
    int (*call)(void) = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, program, 0);
    printf("called %d\n", call());
    unsigned char *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, program, 0);
    printf("called %d\n", ((int (*)(void))writable)());
    writable[1] = 43;
    printf("called %d\n", ((int (*)(void))writable)());
    munmap(writable, 4096);
    FAULT(writable[0] = 1);
    return 0;
}
