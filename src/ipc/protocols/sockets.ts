/** Calls of the VFS that concern sockets, and what belongs to terminals besides ioctl. Numbers from 640; part of the protocol of the VFS (vfs.ts). */
import { i32 } from '../fields.ts';
import { call } from '../protocol.ts';

export const socketCalls = {
  vhangup: call(680, "vhangup(2): all descriptions of the caller's terminal stop working.", {}, { result: i32 }),
};
