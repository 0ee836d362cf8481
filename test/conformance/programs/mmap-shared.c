/* MAP_SHARED between processes: anonymous memory and files, over fork, exec and unmapping; spin and signal. */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

int main(int argc, char **argv) {
    scratch("mmap-shared");
    catch_faults();
    volatile int *word = (int *)anonymous(4, RW, MAP_SHARED);
    /* To and fro, 100 times, by yielding. */
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 100; i++) {
            while (word[0] != 2 * i + 1)
                syscall(SYS_sched_yield);
            word[0] = 2 * i + 2;
        }
        _exit(0);
    }
    for (int i = 0; i < 100; i++) {
        word[0] = 2 * i + 1;
        while (word[0] != 2 * i + 2)
            syscall(SYS_sched_yield);
    }
    waitpid(pid, NULL, 0);
    printf("to and fro %d\n", word[0]);
    /* An atomic count by several. */
    word[1] = 0;
    for (int c = 0; c < 4; c++)
        if (fork() == 0) {
            for (int i = 0; i < 5000; i++)
                __atomic_add_fetch(&word[1], 1, __ATOMIC_SEQ_CST);
            _exit(0);
        }
    for (int c = 0; c < 4; c++)
        wait(NULL);
    printf("count %d\n", word[1]);
    /* A grandchild sees it after its parent is gone; a page touched by none before. */
    if (fork() == 0) {
        if (fork() == 0) {
            word[2048] = 7;
            word[2] = 1;
            _exit(0);
        }
        _exit(0);
    }
    wait(NULL);
    while (word[2] == 0)
        syscall(SYS_sched_yield);
    printf("grandchild's %d\n", word[2048]);
    /* One side's protection is its own. */
    CHILD({
        mprotect((void *)word, 4 * PAGE, PROT_READ);
        FAULT("protected", WRITE(word, 1));
    });
    FAULT("still writable", WRITE(word, 1));
    CHILD({
        munmap((void *)word, 4 * PAGE);
        FAULT("unmapped", READ(word));
    });
    FAULT("still mapped", READ(word));
    /* A fixed private mapping over a part of it. */
    CHILD({
        mmap((char *)word + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        word[1024] = 5;
        word[2048] = 6;
    });
    printf("parent %d %d\n", word[1024], word[2048]);

    /* Two processes, one file, mapped separately. */
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 2 * PAGE);
    volatile char *mine = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    mine[0] = 'a';
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        munmap((void *)mine, 2 * PAGE);
        int own = open("file", O_RDWR);
        volatile char *its = mmap(NULL, PAGE, RW, MAP_SHARED, own, 0);
        close(own);
        printf("child sees %c\n", its[0]);
        its[1] = 'b';
        while (its[2] == 0)
            syscall(SYS_sched_yield);
        printf("child sees %c\n", its[2]);
        fflush(stdout);
        its[3] = 'd';
        _exit(0);
    }
    while (mine[1] == 0)
        syscall(SYS_sched_yield);
    mine[2] = 'c';
    waitpid(pid, NULL, 0);
    printf("parent sees %.4s\n", (char *)mine);
    munmap((void *)mine, 2 * PAGE);
    char text[5] = "";
    pread(fd, text, 4, 0);
    printf("file %s\n", text);
    /* Removed while mapped. */
    mine = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    unlink("file");
    close(fd);
    mine[0] = 'z';
    CHILD(printf("unlinked: %.4s\n", (char *)mine));
    /* Cut off while mapped: what is past the end faults, what is grown again is zero. */
    fd = open("cut", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 3 * PAGE);
    mine = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
    memset((void *)mine, 'x', 3 * PAGE);
    ftruncate(fd, 100);
    FAULT("first page", READ(mine + 200));
    printf("past the end in the page %d\n", mine[200]);
    FAULT("second page", READ(mine + PAGE));
    HOLDS(fault_info.si_addr == mine + PAGE);
    FAULT("write", WRITE(mine + 2 * PAGE, 1));
    ftruncate(fd, 3 * PAGE);
    FAULT("again", READ(mine + PAGE));
    printf("zero %d %d\n", mine[PAGE], mine[200]);
    mine[2 * PAGE] = 'n';
    pread(fd, text, 1, 2 * PAGE);
    printf("%c\n", text[0]);
    /* Written bytes past the end of the file stay out of it. */
    ftruncate(fd, 10);
    mine[50] = 'q';
    struct stat st;
    fstat(fd, &st);
    printf("size %ld\n", (long)st.st_size);
    CALL(pread(fd, text, 4, 50));
    return 0;
}
