/* Calls that Linux numbers but does not have, or has only if built so: ENOSYS before any look at the arguments. And
 * restart_syscall(2) called by a program that was not interrupted. */
#include "check.h"
#include <sys/syscall.h>

#define MAP_SHADOW_STACK 453
#define ABSENT(number)               \
    do {                             \
        CALL(syscall(number, 0, 0)); \
        CALL(syscall(number, -1, -1, -1, -1, -1, -1)); \
    } while (0)

static void absent(void) {
    ABSENT(SYS_uselib);
    ABSENT(SYS__sysctl);
    ABSENT(SYS_create_module);
    ABSENT(SYS_get_kernel_syms);
    ABSENT(SYS_query_module);
    ABSENT(SYS_nfsservctl);
    ABSENT(SYS_getpmsg);
    ABSENT(SYS_putpmsg);
    ABSENT(SYS_afs_syscall);
    ABSENT(SYS_tuxcall);
    ABSENT(SYS_security);
    ABSENT(SYS_set_thread_area);
    ABSENT(SYS_get_thread_area);
    ABSENT(SYS_lookup_dcookie);
    ABSENT(SYS_epoll_ctl_old);
    ABSENT(SYS_epoll_wait_old);
    ABSENT(SYS_vserver);
    ABSENT(SYS_iopl);
    ABSENT(SYS_ioperm);
    ABSENT(SYS_init_module);
    ABSENT(SYS_delete_module);
    ABSENT(SYS_finit_module);
    ABSENT(SYS_kexec_load);
    ABSENT(SYS_kexec_file_load);
    ABSENT(MAP_SHADOW_STACK);
}

int main(void) {
    absent();
    CALL(syscall(SYS_restart_syscall));
    struct timespec tick = {0, 1000000};
    CALL(nanosleep(&tick, NULL));
    CALL(syscall(SYS_restart_syscall));
    CALL(setgid(1000));
    CALL(setuid(1000));
    absent();
    return 0;
}
