/** The parts of the messages of one call, as the kernel laid them out (abi/socket-arguments.ts). */
import { Errno, type Result } from '../../../abi/errno.ts';
import type { Grant } from '../../../ipc/fields.ts';

/** Where a message's parts lie in `areas`. */
export interface MessageArea {
  readonly nameAt: number;
  readonly nameLength: number;
  readonly controlAt: number;
  readonly controlLength: number;
  readonly dataAt: number;
  readonly length: number;
}

/** A stretch of a grant, and its own offset 0. */
export interface Stretch {
  readonly grant: Grant;
  readonly at: number;
  readonly length: number;
}

/** Reads a layout. The error that was met while it was made. */
export const readLayout = (bytes: Uint8Array): Result<readonly MessageArea[]> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const error = view.getUint32(0, true);
  if (error !== 0) return Errno.of(error);
  const count = view.getUint32(4, true);
  const found: MessageArea[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const nameLength = view.getUint32(8 + i * 12, true);
    const controlLength = view.getUint32(12 + i * 12, true);
    const length = view.getUint32(16 + i * 12, true);
    const controlAt = at + nameLength;
    const dataAt = controlAt + controlLength;
    found.push({ nameAt: at, nameLength, controlAt, controlLength, dataAt, length });
    at = dataAt + length;
  }
  return found;
};
