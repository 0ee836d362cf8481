/**
 * Pages and frames. A `Page` is an entry of one address space: the content it has at one page address. Its bytes are
 *
 *     in its slot of the window        the common case
 *     in `side`                        another page holds the slot
 *     in the page `primary`            this is a second mapping, in the same space, of a shared page
 *     elsewhere, in its `frame`        forked and not touched since: the space has no copy of its own yet
 *
 * A `Frame` is private content that several address spaces still have in common after fork. One page, the owner, has it
 * in its own bytes, or nobody does and the frame keeps it in a buffer. Whoever needs it takes a copy and leaves the frame;
 * the owner, before its bytes change or go, leaves a copy in the frame. A frame with one holder is dissolved.
 */

import type { SharedPage } from './shared.ts';
import type { PageTable } from './table.ts';

export class Page {
  /** Content in common with other spaces; null if it is this page's alone. */
  frame: Frame | null = null;
  /** The bytes, if the page is not in its slot. */
  side: Uint8Array | null = null;
  /** The page of an object that this maps; null for private pages. */
  shared: SharedPage | null = null;
  /** The page of this space that has the bytes, if this one is a further mapping of `shared`. */
  primary: Page | null = null;
  /** Further mappings of which this page is the primary. */
  aliases: Page[] | null = null;
  /** Translated code was made from these bytes: they may not be written before the engine has dropped it. */
  code = false;
  /** A private page that has what its file has: it goes when the file changes, and is marked when it is first written. */
  clean = false;

  constructor(
    readonly table: PageTable,
    /** Page number: address / 4096. */
    public number: number,
    /** Protection of the range it lies in. */
    public protection: number,
  ) {}
}

export class Frame {
  /** Pages that have this frame. */
  holders = 1;
  /** Content, when no page has it. */
  buffer: Uint8Array | null = null;

  constructor(
    /** The page in whose bytes the content lies. */
    public owner: Page | null,
  ) {}
}
