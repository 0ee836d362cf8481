/** What uname(2) and /proc say that the system is: programs that ask for a Linux version find the interface that we follow. */
export const KERNEL_RELEASE = '6.1.0-xinim';
export const KERNEL_VERSION = '#1 XINIM';
