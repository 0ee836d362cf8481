/*
 * The reference's integration test 3: dynamic memory. No output; status 0 if every step did what it should.
 * dietlibc's syscall() returns an int, which cannot hold an address: there the same calls go through its wrappers.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __dietlibc__
#define query_brk() sbrk(0)
#define set_brk(address) (brk(address) == 0 ? (address) : sbrk(0))
#define map(length) mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
#define unmap(address, length) munmap(address, length)
#else
#include <sys/syscall.h>
#define query_brk() ((void *)syscall(SYS_brk, 0))
#define set_brk(address) ((void *)syscall(SYS_brk, address))
#define map(length) \
    ((void *)syscall(SYS_mmap, NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
#define unmap(address, length) syscall(SYS_munmap, address, length)
#endif

int main(void) {
    void *old_brk = query_brk();
    void *new_brk = (char *)old_brk + 4096;
    if (set_brk(new_brk) != new_brk)
        return 1;
    memset(old_brk, 0x41, 4096);

    char *addr = map(8192);
    if (addr == MAP_FAILED)
        return 2;
    memset(addr, 0x42, 8192);
    if (addr[8191] != 0x42)
        return 3;

    if (unmap(addr, 8192) != 0)
        return 4;
    return 0;
}
