/* Mappings of a file that changes by other means, shrinks and grows; mappings that grow downwards. */
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;
static void handler(int signal) { siglongjmp(back, signal); }

#define TRY(what, ...)                                                                                                 \
    do {                                                                                                               \
        int signal = sigsetjmp(back, 1);                                                                               \
        if (signal == 0) {                                                                                             \
            __VA_ARGS__;                                                                                               \
            printf("%s: fine\n", what);                                                                                \
        } else                                                                                                         \
            printf("%s: SIG%s\n", what, sigabbrev_np(signal));                                                         \
    } while (0)

enum { PAGE = 4096, BOTH = PROT_READ | PROT_WRITE };
static volatile char sink;

int main(void) {
    signal(SIGBUS, handler);
    signal(SIGSEGV, handler);
    scratch("mmap-changes");
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    char bytes[3 * PAGE];
    memset(bytes, 'a', sizeof bytes);
    write(fd, bytes, sizeof bytes);
    volatile char *shared = mmap(NULL, 3 * PAGE, BOTH, MAP_SHARED, fd, 0);
    volatile char *private = mmap(NULL, 3 * PAGE, BOTH, MAP_PRIVATE, fd, 0);
    volatile char *late = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    printf("%c %c\n", shared[0], private[0]);

    /* write(2) shows in both, until the private page is written. */
    pwrite(fd, "b", 1, 0);
    pwrite(fd, "c", 1, PAGE);
    printf("%c %c %c %c\n", shared[0], private[0], shared[PAGE], private[PAGE]);
    private[1] = 'P';
    pwrite(fd, "dd", 2, 0);
    printf("%c %c, %c %c\n", shared[0], shared[1], private[0], private[1]);
    CHILD({
        printf("%c %c\n", private[0], private[PAGE]);
        pwrite(fd, "e", 1, PAGE);
        printf("%c %c\n", private[0], private[PAGE]);
    });
    printf("%c %c %c\n", private[0], private[PAGE], shared[PAGE]);
    shared[2] = 'S';
    char byte;
    pread(fd, &byte, 1, 2);
    printf("%c %c\n", byte, late[2]);
    CHILD(shared[3] = 'C');
    printf("%c\n", shared[3]);

    /* Shorter: what lay behind is gone, also from pages that were written; longer again: zeros. */
    private[2 * PAGE] = 'Q';
    CALL(ftruncate(fd, PAGE));
    TRY("shared behind the end", sink = shared[PAGE]);
    TRY("private behind the end", sink = private[PAGE]);
    TRY("private and written behind the end", sink = private[2 * PAGE]);
    TRY("before the end", sink = shared[0]);
    TRY("private before the end", printf("%c %c\n", private[0], private[1]));
    CALL(ftruncate(fd, 3 * PAGE));
    TRY("shared, longer", printf("%d\n", shared[PAGE]));
    TRY("private, longer", printf("%d %d\n", private[PAGE], private[2 * PAGE]));
    CALL(ftruncate(fd, 100));
    printf("%d %d %c\n", shared[99], shared[100], private[200]);
    shared[200] = 't';
    CALL(ftruncate(fd, PAGE));
    pread(fd, &byte, 1, 200);
    printf("%d\n", byte);
    close(open("file", O_RDWR | O_TRUNC));
    TRY("nothing left", sink = shared[0]);
    TRY("nothing left of the private page", sink = private[0]);

    CALL(pwrite(fd, bytes, PAGE, 0));
    CALL(msync((void *)shared, PAGE, MS_SYNC));
    CALL(msync((void *)shared, PAGE, MS_SYNC | MS_ASYNC));
    shared[3] = 'M';
    munmap((void *)shared, 3 * PAGE);
    pread(fd, &byte, 1, 3);
    printf("%c\n", byte);
    unlink("file");
    shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    printf("%c\n", shared[3]);

    /* Down to the limit of a stack. */
    char *low = mmap((void *)0x600000000000, 16 * PAGE, BOTH, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
    HOLDS(low == (char *)0x600000000000);
    TRY("just below", low[-8] = 1);
    TRY("far below", low[-200000] = 1);
    TRY("between", printf("%d\n", low[-100000]));
    TRY("beyond the limit", low[-(100l << 20)] = 1);
    TRY("above", low[16 * PAGE] = 1);
    CHILD({
        TRY("the child's too", low[-400000] = 2);
        printf("%d\n", low[-200000]);
    });
    int zero = open("/dev/zero", O_RDONLY);
    CALL(read(zero, low - 600000, 10));
    CALL(read(zero, low - (100l << 20), 10));
    return 0;
}
