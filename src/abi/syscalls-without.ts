/**
 * System calls that have a number but no implementation on Linux 6.18 either, so that ENOSYS to everybody is the whole of
 * their behaviour. test/conformance/programs/without.c records it natively; docs/generated/syscalls.md is told from here.
 */

/** Gone from Linux, or never in it for 64-bit programs, however it is built. */
export const GONE: readonly string[] = [
  'uselib',
  '_sysctl',
  'create_module',
  'get_kernel_syms',
  'query_module',
  'nfsservctl',
  'getpmsg',
  'putpmsg',
  'afs_syscall',
  'tuxcall',
  'security',
  'set_thread_area',
  'get_thread_area',
  'lookup_dcookie',
  'epoll_ctl_old',
  'epoll_wait_old',
  'vserver',
];

/** ENOSYS of a Linux built without them: no port access, no modules, no kexec, no shadow stacks. */
export const LEFT_OUT: readonly string[] = [
  'iopl',
  'ioperm',
  'init_module',
  'delete_module',
  'finit_module',
  'kexec_load',
  'kexec_file_load',
  'map_shadow_stack',
];
