/* The calls about processors, policies and the thread itself, and what uname, sysinfo and getrandom answer. */
#include "check.h"
#include <asm/prctl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void) {
    struct sched_param param = {0};
    CALL(sched_yield());
    CALL(sched_getscheduler(0));
    CALL(sched_getscheduler(-1));
    CALL(sched_getparam(0, &param));
    printf("priority %d\n", param.sched_priority);
    CALL(sched_getparam(0, NULL));
    CALL(sched_setparam(0, &param));
    CALL(sched_setscheduler(0, SCHED_BATCH, &param));
    CALL(sched_getscheduler(0));
    CALL(sched_setscheduler(0, SCHED_OTHER, &param));
    CALL(sched_setscheduler(0, 77, &param));
    param.sched_priority = 5;
    CALL(sched_setscheduler(0, SCHED_OTHER, &param));
    CALL(sched_get_priority_max(SCHED_FIFO));
    CALL(sched_get_priority_min(SCHED_FIFO));
    CALL(sched_get_priority_max(SCHED_OTHER));
    CALL(sched_get_priority_max(99));
    struct timespec interval;
    CALL(sched_rr_get_interval(0, &interval));

    unsigned long mask[16] = {0};
    HOLDS(syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) >= 8);
    HOLDS((mask[0] & 1) == 1);
    CALL(syscall(SYS_sched_getaffinity, 0, 3, mask));
    CALL(syscall(SYS_sched_getaffinity, 4000000, sizeof mask, mask));
    CALL(syscall(SYS_sched_getaffinity, 0, sizeof mask, UNMAPPED));
    mask[0] = 1;
    CALL(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask));
    mask[0] = 0;
    CALL(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask));
    unsigned cpu = 99, node = 99;
    CALL(syscall(SYS_getcpu, &cpu, &node, NULL));
    printf("cpu %u node %u\n", cpu, node);
    CALL(syscall(SYS_getcpu, NULL, NULL, NULL));
    CALL(syscall(SYS_getcpu, UNMAPPED, NULL, NULL));

    HOLDS(syscall(SYS_gettid) == getpid());
    int word;
    HOLDS(syscall(SYS_set_tid_address, &word) == getpid());
    unsigned long base = 0;
    CALL(syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
    HOLDS(base != 0);
    CALL(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234000));
    CALL(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
    printf("gs %lx\n", base);
    CALL(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x8000000000000000));
    CALL(syscall(SYS_arch_prctl, ARCH_GET_GS, UNMAPPED));
    CALL(syscall(SYS_arch_prctl, 0x9999, 0));

    struct utsname names;
    CALL(uname(&names));
    printf("%s %s\n", names.sysname, names.machine);
    CALL(syscall(SYS_uname, UNMAPPED));
    struct sysinfo info;
    CALL(sysinfo(&info));
    HOLDS(info.mem_unit == 1 && info.totalram > info.freeram && info.procs >= 1 && info.uptime >= 0);
    CALL(sysinfo(UNMAPPED));
    char bytes[64] = {0};
    CALL(getrandom(bytes, sizeof bytes, 0));
    int different = 0;
    for (int i = 1; i < 64; i++)
        different += bytes[i] != bytes[0];
    HOLDS(different > 40);
    CALL(getrandom(bytes, 0, 0));
    CALL(getrandom(UNMAPPED, 8, 0));
    CALL(getrandom(bytes, 8, 0x100));
    CALL(syscall(SYS_membarrier, 0x1234567, 0, 0));
    CALL(syscall(SYS_membarrier, 0, 1, 0));

    /* Futexes of a program with one thread. */
    int futex = 1;
    struct timespec tick = {0, 1000000}, wrong = {0, 1000000000};
    CALL(syscall(SYS_futex, &futex, FUTEX_WAIT, 2, NULL));
    CALL(syscall(SYS_futex, &futex, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, &tick));
    CALL(syscall(SYS_futex, &futex, FUTEX_WAIT, 1, &wrong));
    CALL(syscall(SYS_futex, &futex, FUTEX_WAIT_BITSET, 1, &tick, NULL, 0));
    CALL(syscall(SYS_futex, &futex, FUTEX_WAIT_BITSET, 1, &tick, NULL, ~0));
    CALL(syscall(SYS_futex, &futex, FUTEX_WAKE, 1));
    CALL(syscall(SYS_futex, (char *)&futex + 1, FUTEX_WAIT, 1, &tick));
    CALL(syscall(SYS_futex, UNMAPPED, FUTEX_WAIT, 1, &tick));
    CALL(syscall(SYS_futex, &futex, FUTEX_CMP_REQUEUE, 1, 1, &word, 7));
    CALL(syscall(SYS_futex, &futex, 77, 1, NULL));
    void *head;
    size_t length;
    CALL(syscall(SYS_get_robust_list, 0, &head, &length));
    printf("robust %zu\n", length);
    CALL(syscall(SYS_set_robust_list, head, 7));
    CALL(syscall(SYS_get_robust_list, 4000000, &head, &length));
    CALL(syscall(460000));
    return 0;
}
