/* process_vm_readv, process_vm_writev: another process's memory, vectors, rights, errors. */
#include "check.h"
#include <sys/mman.h>
#include <sys/uio.h>

static char here[20000], there[20000];

int main(void) {
    strcpy(there, "before the fork");
    char *pages = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 'p', 12288);
    munmap(pages + 8192, 4096);
    int p[2], q[2];
    pipe(p), pipe(q);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char c;
        strcpy(there, "in the child");
        write(p[1], "x", 1);
        read(q[0], &c, 1);
        printf("the child has '%s'\n", there);
        fflush(stdout);
        write(p[1], "x", 1);
        pause();
    }
    char c;
    read(p[0], &c, 1);
    struct iovec l = {here, 100}, r = {there, 100};
    CALL(process_vm_readv(child, &l, 1, &r, 1, 0));
    printf("'%s', ours is '%s'\n", here, there);
    strcpy(here, "written from outside");
    l.iov_len = 21;
    CALL(process_vm_writev(child, &l, 1, &r, 1, 0));
    write(q[1], "x", 1);
    read(p[0], &c, 1);

    puts("-- vectors");
    struct iovec ls[3] = {{here, 3}, {here + 10, 0}, {here + 20, 100}}, rs[2] = {{there, 5}, {there + 8, 4}};
    memset(here, 0, 100);
    CALL(process_vm_readv(child, ls, 3, rs, 2, 0));
    printf("%s %s\n", here, here + 20);
    ls[0].iov_len = 2, ls[2].iov_len = 2;
    CALL(process_vm_readv(child, ls, 3, rs, 2, 0));
    l = (struct iovec){here, 20000}, r = (struct iovec){pages, 20000};
    CALL(process_vm_readv(child, &l, 1, &r, 1, 0));
    r.iov_base = pages + 8192;
    CALL(process_vm_readv(child, &l, 1, &r, 1, 0));
    r = (struct iovec){pages, 100}, l = (struct iovec){UNMAPPED, 100};
    CALL(process_vm_readv(child, &l, 1, &r, 1, 0));
    l = (struct iovec){here, 100}, r = (struct iovec){(void *)main, 10};
    CALL(process_vm_readv(child, &l, 1, &r, 1, 0));
    HOLDS(memcmp(here, (void *)main, 10) == 0);
    CALL(process_vm_writev(child, &l, 1, &r, 1, 0));
    r = (struct iovec){there, 100};
    CALL(process_vm_readv(child, NULL, 0, &r, 1, 0));
    CALL(process_vm_readv(child, &l, 1, NULL, 0, 0));
    CALL(process_vm_readv(getpid(), &l, 1, &r, 1, 0));
    printf("%s\n", here);

    puts("-- errors");
    CALL(process_vm_readv(child, &l, 1, &r, 1, 1));
    CALL(process_vm_readv(999999999, &l, 1, &r, 1, 0));
    CALL(process_vm_readv(-1, &l, 1, &r, 1, 0));
    CALL(process_vm_readv(child, &l, 2000, &r, 1, 0));
    CALL(process_vm_readv(child, &l, 1, &r, 2000, 0));
    CALL(process_vm_readv(child, BAD_POINTER, 1, &r, 1, 0));
    CALL(process_vm_readv(child, &l, 1, BAD_POINTER, 1, 0));
    r.iov_len = -1;
    CALL(process_vm_readv(child, &l, 1, &r, 1, 0));
    r.iov_len = 10;
    CHILD(become(1000, 1000); CALL(process_vm_readv(child, &l, 1, &r, 1, 0)); CALL(process_vm_writev(child, &l, 1, &r, 1, 0)));
    kill(child, SIGKILL);
    wait(NULL);
    CALL(process_vm_readv(child, &l, 1, &r, 1, 0));
    return 0;
}
