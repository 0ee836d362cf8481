/* uname, sethostname, setdomainname, sysinfo, getrandom, getcpu, arch_prctl, set_tid_address, robust lists, unknown calls. */
#include "check.h"
#include <asm/prctl.h>
#include <sys/utsname.h>

int main(void) {
    struct utsname names;
    CALL(syscall(SYS_uname, &names));
    HOLDS(strcmp(names.sysname, "Linux") == 0 && strcmp(names.machine, "x86_64") == 0);
    HOLDS(strlen(names.release) > 2 && atoi(names.release) >= 3);
    CALL(syscall(SYS_uname, NULL));
    CALL(syscall(SYS_uname, BAD_POINTER));
    CALL(syscall(SYS_sethostname, "x", -1));
    CALL(syscall(SYS_sethostname, "x", 65));
    CALL(syscall(SYS_sethostname, UNMAPPED, 5));
    CALL(syscall(SYS_setdomainname, "x", 65));
    CALL(syscall(SYS_setdomainname, "x", -1));
    CALL(syscall(SYS_setdomainname, UNMAPPED, 5));
    CHILD({
        become(1000, 1000);
        CALL(syscall(SYS_sethostname, "x", 1));
        CALL(syscall(SYS_sethostname, "x", 65));
        CALL(syscall(SYS_setdomainname, "x", 1));
        struct timespec t = {1, 0};
        CALL(syscall(SYS_clock_settime, CLOCK_REALTIME, &t));
        CALL(syscall(SYS_settimeofday, &t, NULL));
    });
    CALL(syscall(SYS_settimeofday, UNMAPPED, NULL));
    struct timeval wrong = {1, 1000000};
    CALL(syscall(SYS_settimeofday, &wrong, NULL));
    CALL(syscall(SYS_settimeofday, NULL, UNMAPPED));
    CALL(syscall(SYS_settimeofday, NULL, NULL));

    /* Thread pointers: kept by fork, set by arch_prctl, canonical addresses only. */
    unsigned long fs = 0, gs = 7;
    CALL(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
    HOLDS(*(unsigned long *)fs == fs);
    CALL(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
    printf("gs %lx\n", gs);
    static long block[4] = {11, 22, 33, 44};
    CALL(syscall(SYS_arch_prctl, ARCH_SET_GS, block));
    long got;
    __asm__ volatile("movq %%gs:16, %0" : "=r"(got));
    printf("through gs %ld\n", got);
    CHILD({
        __asm__ volatile("movq %%gs:8, %0" : "=r"(got));
        printf("child's gs %ld\n", got);
        syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
    });
    __asm__ volatile("movq %%gs:24, %0" : "=r"(got));
    printf("still %ld\n", got);
    CALL(syscall(SYS_arch_prctl, ARCH_SET_FS, 0x800000000000));
    CALL(syscall(SYS_arch_prctl, ARCH_SET_GS, -1l));
    CALL(syscall(SYS_arch_prctl, ARCH_GET_FS, UNMAPPED));
    CALL(syscall(SYS_arch_prctl, ARCH_GET_FS, BAD_POINTER));
    CALL(syscall(SYS_arch_prctl, 0, 0));

    int word = 5;
    HOLDS(syscall(SYS_set_tid_address, &word) == getpid());
    CALL(syscall(SYS_set_robust_list, &word, 24));
    CALL(syscall(SYS_set_robust_list, &word, 23));
    void *head;
    size_t length;
    CALL(syscall(SYS_get_robust_list, 0, &head, &length));
    HOLDS(head == &word && length == 24);
    CALL(syscall(SYS_get_robust_list, getpid(), &head, &length));
    CALL(syscall(SYS_get_robust_list, 0, UNMAPPED, &length));
    CALL(syscall(SYS_get_robust_list, 0x3fffffff, &head, &length));
    CALL(syscall(SYS_set_robust_list, NULL, 24));

    char bytes[300] = {0};
    CALL(syscall(SYS_getrandom, bytes, 300, 0));
    CALL(syscall(SYS_getrandom, bytes, 10, 1));
    CALL(syscall(SYS_getrandom, bytes, 10, 2));
    CALL(syscall(SYS_getrandom, bytes, 10, 4));
    CALL(syscall(SYS_getrandom, bytes, 10, 6));
    CALL(syscall(SYS_getrandom, bytes, 10, 8));
    CALL(syscall(SYS_getrandom, UNMAPPED, 10, 0));
    CALL(syscall(SYS_getrandom, UNMAPPED, 0, 0));
    CALL(syscall(SYS_getcpu, UNMAPPED, NULL, NULL));
    CALL(syscall(SYS_getcpu, NULL, UNMAPPED, NULL));
    CALL(syscall(-1));
    CALL(syscall(1000));
    CALL(syscall(0x40000000));
    CALL(syscall(156));
    CALL(syscall(183));
    return 0;
}
