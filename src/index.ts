/**
 * XINIM as a library for Node.js.
 *
 *     import { boot } from 'xinim';
 *     const os = await boot();
 *     const p = await os.spawn('/bin/sh', ['-c', 'ls -l / | wc -l']);
 *     for await (const chunk of p.stdout) process.stdout.write(chunk);
 *     const { code } = await p.exited;
 *     await os.shutdown();
 */
export { type BootOptions, boot, type MountOptions, XinimError } from './host/node/boot.ts';
export type { GuestFiles, GuestStats } from './host/node/files.ts';
export type { GuestProcess, ProcessOptions, Xinim } from './host/node/xinim.ts';
export type { ServerView } from './ipc/kernel-calls.ts';
export type { ExitStatus } from './system/system.ts';
