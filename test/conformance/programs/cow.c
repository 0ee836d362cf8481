/* Memory after fork: copied when written, by whoever; over generations; what is shared stays shared. */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

static int data = 1;
static int bss;
static char big_bss[3 << 20];
static const char *constant = "constant";

/* Waits until the other side has come as far. */
static int to_child[2], to_parent[2];
static void tell(int *ends) { write(ends[1], "x", 1); }
static void await(int *ends) {
    char byte;
    read(ends[0], &byte, 1);
}

static int sum(volatile char *at, int pages) {
    int total = 0;
    for (int i = 0; i < pages; i++)
        total += at[i * PAGE];
    return total;
}

int main(void) {
    catch_faults();
    pipe(to_child);
    pipe(to_parent);
    int local = 1;
    char *heap = malloc(10 * PAGE);
    char *private = anonymous(16, RW, MAP_PRIVATE), *shared = anonymous(16, RW, MAP_SHARED);
    memset(private, 1, 16 * PAGE);
    memset(shared, 1, 8 * PAGE);
    memset(heap, 1, 10 * PAGE);
    big_bss[0] = big_bss[1 << 20] = 1;

    /* The parent writes first: the child keeps the old. */
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        await(to_child);
        printf("child: %d %d %d %d %d %d %d\n", data, bss, local, heap[0], private[0], shared[0], big_bss[0]);
        private[PAGE] = 5;
        shared[PAGE] = 5;
        /* A page that neither had touched. */
        shared[12 * PAGE] = 6;
        big_bss[2 << 20] = 7;
        fflush(stdout);
        tell(to_parent);
        await(to_child);
        printf("child: %d %d\n", private[PAGE], shared[PAGE]);
        fflush(stdout);
        _exit(0);
    }
    data = bss = local = 2;
    heap[0] = private[0] = shared[0] = big_bss[0] = 2;
    tell(to_child);
    await(to_parent);
    printf("parent: %d %d %d %d\n", private[PAGE], shared[PAGE], shared[12 * PAGE], big_bss[2 << 20]);
    fflush(stdout);
    private[PAGE] = 8;
    shared[PAGE] = 8;
    tell(to_child);
    int status;
    waitpid(pid, &status, 0);
    show_status("child", status);

    /* Generations: each writes a page and forks; at the end everyone's pages are as they were. */
    memset(private, 0, 16 * PAGE);
    fflush(stdout);
    int depth = 0;
    for (; depth < 8; depth++) {
        private[depth * PAGE] = depth + 1;
        pid = fork();
        if (pid != 0)
            break;
    }
    if (depth == 8)
        _exit(sum(private, 16));
    private[(depth + 1) * PAGE] = 100;
    waitpid(pid, &status, 0);
    int mine = sum(private, 16);
    if (depth > 0)
        _exit(WEXITSTATUS(status) == 36 && mine == (depth + 1) * (depth + 2) / 2 + 100 ? 36 : 99);
    printf("generations: %d %d\n", WEXITSTATUS(status), mine);

    /* The parent ends while the child still reads what they share. */
    fflush(stdout);
    memset(private, 3, 16 * PAGE);
    pid = fork();
    if (pid == 0) {
        pid_t inner = fork();
        if (inner == 0) {
            await(to_child);
            shared[0] = sum(private, 16);
            tell(to_parent);
            _exit(0);
        }
        memset(private, 4, 16 * PAGE);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    memset(private, 5, 16 * PAGE);
    tell(to_child);
    await(to_parent);
    printf("orphan: %d\n", shared[0]);

    /* The kernel writes too: into a page that is shared until then. */
    memset(private, 1, 16 * PAGE);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        await(to_child);
        _exit(sum(private, 4));
    }
    int ends[2];
    pipe(ends);
    write(ends[1], "\7\7\7\7", 4);
    read(ends[0], private, 1);
    read(ends[0], private + PAGE, 1);
    tell(to_child);
    waitpid(pid, &status, 0);
    printf("child %d parent %d\n", WEXITSTATUS(status), sum(private, 4));

    /* Protections after fork are one's own. */
    mprotect(private, 4 * PAGE, PROT_READ);
    CHILD({
        FAULT("read-only in the child", WRITE(private, 1));
        mprotect(private, 4 * PAGE, RW);
        FAULT("writable in the child", WRITE(private, 9));
        munmap(private + PAGE, PAGE);
    });
    FAULT("still read-only", WRITE(private, 1));
    printf("contents %d %d\n", private[0], private[PAGE]);
    mprotect(private, 4 * PAGE, RW);
    FAULT("writable again", WRITE(private, 1));

    /* Constants and code are shared, and writable after mprotect in one only. */
    char *page = (char *)((unsigned long)constant & -PAGE);
    CHILD({
        FAULT("constant", WRITE((char *)constant, 'K'));
        CALL(mprotect(page, PAGE, RW));
        FAULT("constant", WRITE((char *)constant, 'K'));
        printf("%s\n", constant);
    });
    printf("%s\n", constant);
    /* Many children at once, each with its own. */
    pid_t pids[20];
    for (int i = 0; i < 20; i++) {
        private[0] = i;
        pids[i] = fork();
        if (pids[i] == 0) {
            for (int p = 1; p < 16; p++)
                private[p * PAGE] = private[0];
            usleep(5000);
            _exit(sum(private, 16) == 16 * i ? i : 99);
        }
    }
    int right = 0;
    for (int i = 0; i < 20; i++) {
        waitpid(pids[i], &status, 0);
        right += WEXITSTATUS(status) == i;
    }
    printf("children %d\n", right);
    return 0;
}
