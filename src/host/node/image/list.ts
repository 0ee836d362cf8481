/** `xinim image ls`: the files of a root as `tar -tv` shows them, with numbers for owners; or its configuration. */
import { isDirectory, isSymlink, major, minor, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT } from '../../../abi/stat.ts';
import { openTar } from '../../../fs/tar/tarfs.ts';
import type { TreeNode } from '../../../fs/tar/tree.ts';
import { openHostFile } from '../host-file.ts';
import { fromBytes } from '../text.ts';
import { fromComment } from './config.ts';
import { sound } from './contents.ts';

const letter = (mode: number): string => {
  if (isDirectory(mode)) return 'd';
  if (isSymlink(mode)) return 'l';
  const type = mode & S_IFMT;
  return type === S_IFCHR ? 'c' : type === S_IFBLK ? 'b' : type === S_IFIFO ? 'p' : '-';
};

/** `rwxr-sr-t` as ls(1) shows it. */
export const permissions = (mode: number): string => {
  const triple = (bits: number, special: boolean, mark: string): string => {
    const execute = bits & 1 ? (special ? mark : 'x') : special ? mark.toUpperCase() : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${execute}`;
  };
  return (
    triple((mode >> 6) & 7, (mode & 0o4000) !== 0, 's') +
    triple((mode >> 3) & 7, (mode & 0o2000) !== 0, 's') +
    triple(mode & 7, (mode & 0o1000) !== 0, 't')
  );
};

const show = (path: string, node: TreeNode): string => {
  const { mode, uid, gid, rdev, size, mtime } = node;
  const type = letter(mode);
  const amount = type === 'c' || type === 'b' ? `${major(rdev)},${minor(rdev)}` : String(size);
  const time = new Date(mtime * 1000).toISOString().slice(0, 16).replace('T', ' ');
  // Names may have anything in them: what a terminal would act on is shown as ? (as ls does).
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const name = fromBytes(type === 'l' ? `${path} -> ${node.target}` : path).replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
  return `${type}${permissions(mode)} ${`${uid}/${gid}`.padEnd(9)} ${amount.padStart(9)} ${time} ${name}`;
};

/** Gives the lines to `print`. Throws Errors. */
export const listImage = (tar: string, from: string, configOnly: boolean, print: (line: string) => void): void => {
  const file = openHostFile(tar);
  try {
    const { tree, comment } = sound(openTar(file));
    if (configOnly) {
      const config = fromComment(comment);
      if (config === undefined) throw new Error(`${tar} has no configuration: it was not made by \`xinim image\``);
      print(JSON.stringify(config));
      return;
    }
    const start = tree.find(from, false);
    if (start === undefined) throw new Error(`${tar} has no ${from}`);
    const left: [path: string, node: TreeNode][] = [[`/${from.split('/').filter(Boolean).join('/')}`, start]];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [path, node] = next;
      print(show(path, node));
      const children = [...(node.children ?? [])].sort(([a], [b]) => (a < b ? 1 : -1));
      for (const [name, child] of children) left.push([path === '/' ? `/${name}` : `${path}/${name}`, child]);
    }
  } finally {
    file.close();
  }
};
