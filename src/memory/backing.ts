/**
 * What lies behind a mapped range: zeros, a private copy of a file, or pages that several mappings share. The same shape as
 * `Backing` of the kernel calls (ipc/kernel-calls.ts), which the kernel passes on as it stands.
 */
export type Backing =
  | { readonly kind: 'zero' }
  /** Private copy of a file, page by page on demand; `offset` is the file position of the range's start. */
  | { readonly kind: 'file'; readonly object: number; readonly offset: number }
  /** Pages of an object that every mapping of it shares; `file` says which of the two number spaces `object` belongs to. */
  | { readonly kind: 'shared'; readonly object: number; readonly offset: number; readonly file: boolean };

export const ZERO: Backing = Object.freeze({ kind: 'zero' });

/** The backing as seen `by` bytes further into the range. */
export const advanced = (backing: Backing, by: number): Backing =>
  backing.kind === 'zero' || by === 0 ? backing : { ...backing, offset: backing.offset + by };

/** Whether `next` goes on where `backing` ends after `length` bytes. */
export const continues = (backing: Backing, length: number, next: Backing): boolean => {
  if (backing.kind === 'zero') return next.kind === 'zero';
  if (next.kind !== backing.kind || next.object !== backing.object) return false;
  if (next.offset !== backing.offset + length) return false;
  return backing.kind === 'file' || (next.kind === 'shared' && next.file === backing.file);
};
