/** Contents of files in a tree, and of the host as archives: what building and importing images read. */
import { Errno } from '../../../abi/errno.ts';
import { ArchiveError } from '../../../fs/tar/header.ts';
import type { TreeNode } from '../../../fs/tar/tree.ts';

/** Whole contents of a regular file. Throws an Error if its archive cannot be read. */
export const contentsOf = (node: TreeNode): Uint8Array => {
  const { contents, size } = node;
  if (contents === undefined) return new Uint8Array(0);
  if ('bytes' in contents) return contents.bytes;
  const bytes = new Uint8Array(size);
  const count = contents.file.read(contents.offset, bytes);
  if (count instanceof Errno || count < size) throw new Error(`${contents.file.name} cannot be read`);
  return bytes;
};

/** As a byte string: what goes in comes out. */
export const textOf = (node: TreeNode): string => Buffer.from(contentsOf(node)).toString('latin1');

/** The value, or the archive's error thrown. */
export const sound = <T>(value: T | ArchiveError): T => {
  if (value instanceof ArchiveError) throw new Error(value.text);
  return value;
};
