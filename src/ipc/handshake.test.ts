import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FrameArena, FrameKind } from './frame.ts';
import { type ChannelName, Initiator, respond } from './handshake.ts';
import { Sealing } from './seal/end.ts';

const arena = new FrameArena();
const frame = arena.carve();
const sealing = new Sealing(arena);
const channel: ChannelName = { initiator: { name: 'kernel', pid: 0 }, responder: { name: 'vfs', pid: 2 }, epoch: 1 };

/** Whether a frame of the initiator and one of the responder can be read after a handshake in which the two hold these names. */
const talk = (ours: ChannelName, theirs: ChannelName, damage?: (bytes: Uint8Array) => void): [boolean, boolean] => {
  const [a, b] = sealing.channel();
  const first = new Initiator(ours, randomBytes);
  const { cipherText, keys } = respond(theirs, first.publicKey, randomBytes);
  damage?.(cipherText);
  first.finish(cipherText).install(a);
  keys.install(b);
  const carried = (from: typeof a, to: typeof a): boolean => {
    frame.start(FrameKind.Request, 100, 101, 0, 1, 5, 5);
    frame.writer.u32(0xdecade);
    frame.finish();
    from.seal(frame);
    return to.open(frame) === 0 && frame.accept() && frame.reader.u32() === 0xdecade;
  };
  return [carried(a, b), carried(b, a)];
};

describe('handshake', () => {
  it('gives both ends the same keys', () => {
    expect(talk(channel, channel)).toEqual([true, true]);
  });

  it('binds names, PIDs, epoch and what was exchanged', () => {
    const others: ChannelName[] = [
      { ...channel, epoch: 2 },
      { ...channel, responder: { name: 'vfs', pid: 3 } },
      { ...channel, responder: { name: 'vf', pid: 2 } },
      { ...channel, initiator: { name: 'kernel', pid: 1 } },
      { ...channel, initiator: channel.responder, responder: channel.initiator },
    ];
    for (const other of others) expect(talk(channel, other)).toEqual([false, false]);
    for (const at of [0, 500, 1087])
      expect(
        talk(channel, channel, (bytes) => {
          bytes[at] ^= 1;
        }),
      ).toEqual([false, false]);
  });

  it('never shows a key, and hands it out once', () => {
    const secrets: Uint8Array[] = [];
    const spy = (length: number): Uint8Array => {
      const bytes = Uint8Array.from(randomBytes(length));
      secrets.push(bytes);
      return bytes;
    };
    const first = new Initiator(channel, spy);
    const { cipherText, keys } = respond(channel, first.publicKey, spy);
    expect(JSON.stringify(keys)).toBe('{}');
    expect(inspect(keys, { depth: 9, showHidden: true })).not.toContain('Uint8Array');
    expect(inspect(first, { depth: 9 })).not.toContain('secretKey');
    keys.install(sealing.channel()[0]);
    expect(() => keys.install(sealing.channel()[0])).toThrow('spent');
    first.finish(cipherText).wipe();
    expect(secrets.map(({ length }) => length)).toEqual([64, 32]);
  });

  it('leaves an end without keys unable to seal', () => {
    const end = sealing.channel()[0];
    expect(() => end.seal(frame)).toThrow('no keys');
    expect(end.open(frame)).not.toBe(0);
  });
});
