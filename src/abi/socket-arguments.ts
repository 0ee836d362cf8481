/**
 * Arguments of the calls that send and receive. sendto, sendmsg, sendmmsg (and their counterparts) are one message to the
 * server, whose parts the kernel gathers here from registers, headers and I/O vectors:
 *
 *  - `areas`: one grant over, for each message in turn, its name, its control data and its data;
 *  - `layout`: little-endian words: an errno (0: none), the count of messages, and for each the lengths of the three;
 *  - `headers`: a grant over the headers, where lengths and flags are put; of recvfrom, over its `addrlen`.
 *
 * An error is put in the layout instead of ending the call, for the descriptor is judged first.
 */
import type { ArgumentKind, BufferRequest, GuestReader, RawArguments } from './arguments.ts';
import { EFAULT, EINVAL, EMSGSIZE, ENOBUFS, Errno } from './errno.ts';
import { ADDRESS_MAX, MMSGHDR_SIZE, MSGHDR_SIZE, UIO_MAXIOV } from './socket.ts';

const ADDRESS_END = 0x7fff_ffff_f000;
const TRANSFER_MAX = 0x7fff_f000;
/** Control data of one message (net.core.optmem_max). */
const CONTROL_MAX = 131_072;
/** Segments of all messages of a call: what is beyond is left for the next. */
const SEGMENTS_MAX = 16_384;

type Segment = BufferRequest['segments'][number];

interface Part {
  readonly name: number;
  readonly control: number;
  readonly data: number;
  readonly segments: readonly Segment[];
}

export type Gather = (args: RawArguments, guest: GuestReader) => readonly Part[] | Errno;

const word = (view: DataView, at: number): number =>
  Math.min(view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true), Number.MAX_SAFE_INTEGER - 4095);

/** One header. */
const readHeader = (guest: GuestReader, address: number, sending: boolean): Part | Errno => {
  const bytes = guest.read(address, MSGHDR_SIZE);
  if (bytes instanceof Errno) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments: Segment[] = [];
  const nameAt = word(view, 0);
  let name = nameAt === 0 ? 0 : view.getInt32(8, true);
  if (name < 0) return EINVAL;
  name = Math.min(name, ADDRESS_MAX);
  const controlAt = word(view, 32);
  let control = controlAt === 0 ? 0 : word(view, 40);
  if (sending && control > CONTROL_MAX) return ENOBUFS;
  control = Math.min(control, CONTROL_MAX);
  if (name > 0) segments.push({ address: nameAt, length: name });
  if (control > 0) segments.push({ address: controlAt, length: control });
  const count = word(view, 24);
  if (count > UIO_MAXIOV) return EMSGSIZE;
  const vector = count === 0 ? new Uint8Array(0) : guest.read(word(view, 16), count * 16);
  if (vector instanceof Errno) return vector;
  const parts = new DataView(vector.buffer, vector.byteOffset, vector.byteLength);
  let data = 0;
  for (let i = 0; i < count; i++) {
    if (parts.getInt32(i * 16 + 12, true) < 0) return EINVAL;
    const start = word(parts, i * 16);
    const length = word(parts, i * 16 + 8);
    if (start + length > ADDRESS_END) return EFAULT;
    const taken = Math.min(length, TRANSFER_MAX - data);
    if (taken > 0) segments.push({ address: start, length: taken });
    data += taken;
  }
  return { name, control, data, segments };
};

/** sendto(2), recvfrom(2): buffer, length and address in registers; `lengthAt` says where the address's length is. */
export const gatherPlain =
  (sending: boolean): Gather =>
  (args, guest) => {
    const start = args.u53(1);
    const data = Math.min(args.u53(2), TRANSFER_MAX);
    if (start + data > ADDRESS_END) return EFAULT;
    const nameAt = args.u53(4);
    let name = 0;
    if (nameAt !== 0 && sending) {
      name = args.i32(5);
      if (name < 0 || name > ADDRESS_MAX) return EINVAL;
    } else if (nameAt !== 0) {
      const length = guest.read(args.u53(5), 4);
      if (length instanceof Errno) return EFAULT;
      name = new DataView(length.buffer, length.byteOffset, 4).getInt32(0, true);
      if (name < 0) return EINVAL;
      name = Math.min(name, ADDRESS_MAX);
    }
    const segments: Segment[] = [];
    if (name > 0) segments.push({ address: nameAt, length: name });
    if (data > 0) segments.push({ address: start, length: data });
    return [{ name, control: 0, data, segments }];
  };

/** sendmsg(2), recvmsg(2). */
export const gatherOne =
  (sending: boolean): Gather =>
  (args, guest) => {
    const part = readHeader(guest, args.u53(1), sending);
    return part instanceof Errno ? part : [part];
  };

/** sendmmsg(2), recvmmsg(2): as many as can be read; an error only if the first cannot. */
export const gatherMany =
  (sending: boolean): Gather =>
  (args, guest) => {
    const count = Math.min(args.u32(2), UIO_MAXIOV);
    const found: Part[] = [];
    let segments = 0;
    for (let i = 0; i < count && segments < SEGMENTS_MAX; i++) {
      const part = readHeader(guest, args.u53(1) + i * MMSGHDR_SIZE, sending);
      if (part instanceof Errno) {
        if (found.length === 0) return part;
        break;
      }
      segments += part.segments.length;
      found.push(part);
    }
    return found;
  };

const hex = (value: number): string => (value === 0 ? 'NULL' : `0x${value.toString(16)}`);

/** The grant over names, control data and data. Shown as the first segment's address. */
export const areas = (direction: 'in' | 'out', gather: Gather): ArgumentKind<BufferRequest | null> => ({
  name: 'message areas',
  when: 'enter',
  load: (args, _index, guest) => {
    const parts = gather(args, guest);
    if (parts instanceof Errno) return null;
    const segments = parts.flatMap((part) => part.segments);
    return { direction, segments, length: segments.reduce((sum, { length }) => sum + length, 0) };
  },
  show: (value) => (value === null ? 'NULL' : hex(value.segments[0]?.address ?? 0)),
});

/** The lengths of the parts. */
export const layout = (gather: Gather): ArgumentKind<Uint8Array> => ({
  name: 'message layout',
  when: 'enter',
  load: (args, _index, guest) => {
    const parts = gather(args, guest);
    const words =
      parts instanceof Errno
        ? [parts.number, 0]
        : [0, parts.length, ...parts.flatMap(({ name, control, data }) => [name, control, data])];
    return new Uint8Array(Uint32Array.from(words).buffer);
  },
  show: (value) => `${new DataView(value.buffer).getUint32(4, true)} messages`,
});

/** The headers themselves; of recvfrom (`stride` 4) the address's length. NULL if there are none. */
export const headers = (stride: number): ArgumentKind<BufferRequest | null> => ({
  name: 'message headers',
  when: 'enter',
  load: (args) => {
    const address = args.u53(stride === 4 ? 5 : 1);
    const count = stride === MMSGHDR_SIZE ? Math.min(args.u32(2), UIO_MAXIOV) : 1;
    const length = stride * count;
    if (address === 0 || length === 0 || (stride === 4 && args.u53(4) === 0)) return null;
    return { direction: 'out', segments: [{ address, length }], length };
  },
  show: () => '',
});

/** An address that is given: its bytes, as many as its length (argument `lengthIndex`) may say. */
export const givenAddress = (lengthIndex: number): ArgumentKind<BufferRequest | null> => ({
  name: 'sockaddr',
  when: 'enter',
  load: (args, index) => {
    const length = args.i32(lengthIndex);
    const address = args.u53(index);
    if (length <= 0 || length > ADDRESS_MAX) return null;
    return { direction: 'in', segments: [{ address, length }], length };
  },
  show: (value) => (value === null ? 'NULL' : hex(value.segments[0].address)),
});

/** Room for a value whose length is an int in memory, at argument `lengthIndex`. NULL if either is, or the length below zero. */
export const roomFor = (name: string, lengthIndex: number): ArgumentKind<BufferRequest | null> => ({
  name,
  when: 'enter',
  load: (args, index, guest) => {
    const address = args.u53(index);
    if (address === 0) return null;
    const bytes = guest.read(args.u53(lengthIndex), 4);
    if (bytes instanceof Errno) return null;
    const length = Math.min(new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true), 4096);
    return length < 0 ? null : { direction: 'out', segments: [{ address, length }], length };
  },
  show: (value) => (value === null ? 'NULL' : hex(value.segments[0].address)),
});
