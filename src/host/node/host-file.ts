/** A file of the host opened for reading at any position (fs/host/file.ts), over node:fs. */
import * as fs from 'node:fs';
import { EIO } from '../../abi/errno.ts';
import type { HostFile } from '../../fs/host/file.ts';

/** Opens a regular file. Throws if it is none; `close` it when nothing reads it any more. */
export const openHostFile = (path: string): HostFile & { close(): void } => {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) {
    fs.closeSync(fd);
    throw new Error(`${path} is no regular file`);
  }
  let open = true;
  return {
    name: path,
    size: stat.size,
    read(offset, into) {
      let done = 0;
      try {
        while (done < into.length) {
          const count = fs.readSync(fd, into, done, into.length - done, offset + done);
          if (count === 0) break;
          done += count;
        }
      } catch {
        return EIO;
      }
      return done;
    },
    close() {
      if (open) fs.closeSync(fd);
      open = false;
    },
  };
};
