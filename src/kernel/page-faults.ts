/**
 * Page faults: makes an access possible or says why it is not (DESIGN §3, §5).
 *
 *     tag denies ─► AddressSpace.fault ─► zero page, copy-on-write      resolved here
 *                                      ─► page of a file                page cache, else vfs.readObject
 *                                      ─► translated code               the engine drops it
 *                                      ─► nothing mapped, near a stack  memory.growStack
 *
 * Entry points: `serve` for an access, `fetch` for a stretch of a file, `writeBack` for modified pages of shared mappings.
 * All answer through a callback, at once when no server makes them wait.
 */
import { Errno } from '../abi/errno.ts';
import type { Access } from '../cpu/engine.ts';
import { Reg } from '../cpu/state.ts';
import type { DirtyPage } from '../memory/shared.ts';
import { mayGrow } from './guest-memory.ts';
import type { Kernel } from './kernel.ts';
import { PageCache, STRETCH } from './page-cache.ts';
import type { Process } from './process.ts';

/** Why an access cannot be made possible. */
export type Refusal = 'maperr' | 'accerr' | 'bus' | 'nomem';

export class PageFaults {
  readonly cache: PageCache;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, cacheBytes: number) {
    this.#kernel = kernel;
    this.cache = new PageCache(cacheBytes);
  }

  serve(process: Process, address: number, access: Access, then: (refusal: Refusal | undefined) => void): void {
    this.#serve(process, address, access, then, true);
  }

  #serve(
    process: Process,
    address: number,
    access: Access,
    then: (refusal: Refusal | undefined) => void,
    grow: boolean,
  ): void {
    for (;;) {
      const { space } = process;
      if (space === undefined) {
        then('maperr');
        return;
      }
      const fault = space.fault(address, access);
      switch (fault.kind) {
        case 'resolved':
          then(undefined);
          return;
        case 'code':
          process.engine!.invalidate(fault.page);
          space.allowWrite(fault.page);
          break;
        case 'file': {
          const bytes = this.cache.page(fault.object, fault.offset);
          if (bytes === undefined) {
            this.fetch(fault.object, fault.offset, (found) => {
              if (found === undefined) then('bus');
              else this.#serve(process, address, access, then, grow);
            });
            return;
          }
          const supplied = space.supplyPage(fault.page, bytes).kind;
          if (supplied !== 'resolved') {
            then(supplied === 'nomem' ? 'nomem' : 'bus');
            return;
          }
          break;
        }
        case 'maperr':
          if (!grow || !mayGrow(process, address)) then('maperr');
          else
            this.#grow(process, address, (grown) => {
              if (grown) this.#serve(process, address, access, then, false);
              else then('maperr');
            });
          return;
        default:
          then(fault.kind);
          return;
      }
    }
  }

  /**
   * The bytes of a file from `offset` (a multiple of 4096) to the end of its page or of the file, through the cache;
   * undefined at or past the end of the file, or if it cannot be read.
   */
  fetch(object: number, offset: number, then: (bytes: Uint8Array | undefined) => void): void {
    const kept = this.#kernel.machine.filePage!(object, offset);
    if (kept !== undefined) {
      then(kept);
      return;
    }
    const start = offset - (offset % STRETCH);
    const buffer = new Uint8Array(STRETCH);
    const kernel = this.#kernel;
    const buf = kernel.grants.ofBytes(kernel.vfs, buffer, 'out');
    kernel.request(kernel.vfs, 'readObject', { object, offset: start, buf }, (reply) => {
      const count = reply instanceof Errno ? 0 : (reply as { result: number }).result;
      if (count > 0) this.cache.put(object, start, count === STRETCH ? buffer : buffer.slice(0, count));
      then(this.cache.page(object, offset));
    });
  }

  /** Sends modified pages of a shared file mapping to the VFS. Errors are logged: there is nobody to tell. */
  writeBack(object: number, pages: readonly DirtyPage[], then: () => void): void {
    const kernel = this.#kernel;
    const [page, ...rest] = pages;
    if (page === undefined) {
      then();
      return;
    }
    this.cache.invalidate(object, page.offset, page.bytes.length);
    const buf = kernel.grants.ofBytes(kernel.vfs, page.bytes, 'in');
    kernel.request(kernel.vfs, 'writeObject', { object, offset: page.offset, buf }, (reply) => {
      if (reply instanceof Errno) kernel.log(`object ${object}: page at ${page.offset} lost: ${reply.text}`);
      this.writeBack(object, rest, then);
    });
  }

  /** No mapping names the file any more: its modified pages are written back, then the VFS may let go of it. */
  fileUnused(object: number): void {
    const { objects } = this.#kernel.machine;
    if (objects.fileReferences(object) > 0) return;
    this.writeBack(object, objects.dirtyPages(object), () => {
      if (objects.fileReferences(object) > 0) return;
      objects.forgetFile(object);
      this.release(object);
    });
  }

  /** Tells the VFS that an object it holds for us is not mapped. */
  release(object: number): void {
    if (this.#kernel.machine.objects.fileReferences(object) > 0) return;
    this.#kernel.request(this.#kernel.vfs, 'releaseObject', { object }, () => {});
  }

  #grow(process: Process, address: number, then: (grown: boolean) => void): void {
    const pointer = process.mainThread.registers.get(Reg.RSP);
    const kernel = this.#kernel;
    kernel.request(kernel.mm, 'growStack', { pid: process.pid, address, pointer }, (reply) =>
      then(!(reply instanceof Errno) && (reply as { grown: number }).grown !== 0),
    );
  }
}
