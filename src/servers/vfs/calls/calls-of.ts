/** The type of a part of the VFS's handlers: those of the named calls. */
import type { vfsProtocol } from '../../../ipc/protocols/vfs.ts';
import type { Handlers } from '../../../ipc/server.ts';

export type CallsOf<K extends keyof (typeof vfsProtocol)['calls']> = Pick<Handlers<typeof vfsProtocol>, K>;
