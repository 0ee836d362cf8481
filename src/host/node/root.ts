/** Reads a folder of the host as a root file system: `--root DIR`. Everything is copied in; the host is never written. */
import * as fs from 'node:fs';
import type { PopulateEntry } from '../../fs/populate.ts';
import { initProgram } from '../../system/init.ts';

const name = (bytes: Buffer): string => bytes.toString('latin1');

/** Entries of the folder; device files and sockets are left out. init is ours unless the folder has one. */
export const rootFromFolder = (folder: string): PopulateEntry[] => {
  if (!fs.statSync(folder).isDirectory()) throw new Error(`${folder} is not a folder`);
  const entries: PopulateEntry[] = [];
  const seen = new Map<string, string>();
  const visit = (host: Buffer, guest: string): void => {
    for (const child of fs.readdirSync(host, { encoding: 'buffer' })) {
      const from = Buffer.concat([host, Buffer.from('/'), child]);
      const path = `${guest}/${name(child)}`;
      const s = fs.lstatSync(from);
      const common = { path, mode: s.mode & 0o7777, uid: s.uid, gid: s.gid, mtime: s.mtimeMs / 1000 };
      const identity = `${s.dev}:${s.ino}`;
      if (s.isDirectory()) {
        entries.push({ ...common, type: 'directory' });
        visit(from, path);
      } else if (s.isSymbolicLink()) {
        entries.push({ ...common, type: 'symlink', target: name(fs.readlinkSync(from, { encoding: 'buffer' })) });
      } else if (s.isFile()) {
        const first = seen.get(identity);
        if (first !== undefined) {
          entries.push({ ...common, type: 'link', target: first });
          continue;
        }
        if (s.nlink > 1) seen.set(identity, path);
        entries.push({ ...common, type: 'file', data: fs.readFileSync(from) });
      } else if (s.isFIFO()) entries.push({ ...common, type: 'fifo' });
    }
  };
  visit(Buffer.from(fs.realpathSync(folder)), '');
  if (!entries.some(({ path }) => path === '/sbin/init'))
    entries.push({ type: 'file', path: '/sbin/init', mode: 0o755, data: initProgram() });
  return entries;
};
