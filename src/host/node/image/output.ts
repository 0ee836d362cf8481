/** Writes an image to a file of the host: beside it first, then in its place, so that there is never half of one. */
import * as fs from 'node:fs';
import type { FileTree } from '../../../fs/tar/tree.ts';
import { type WriteOptions, writeTar } from '../../../fs/tar/writer.ts';
import { sound } from './contents.ts';

const BUFFER = 4 << 20;

/** Returns the size in bytes. Throws Errors. */
export const writeImage = (path: string, tree: FileTree, options: WriteOptions): number => {
  const temporary = `${path}.${process.pid}.part`;
  const fd = fs.openSync(temporary, 'w');
  try {
    const buffer = Buffer.alloc(BUFFER);
    let used = 0;
    let size = 0;
    const flush = (): void => {
      for (let at = 0; at < used; ) at += fs.writeSync(fd, buffer, at, used - at);
      used = 0;
    };
    const sink = (bytes: Uint8Array): void => {
      size += bytes.length;
      for (let at = 0; at < bytes.length; ) {
        const part = bytes.subarray(at, at + BUFFER - used);
        buffer.set(part, used);
        used += part.length;
        at += part.length;
        if (used === BUFFER) flush();
      }
    };
    sound(writeTar(tree, sink, options));
    flush();
    fs.closeSync(fd);
    fs.renameSync(temporary, path);
    return size;
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
};
