/** Steps of an exec that read the program file and write the new image's memory. */
import { Errno } from '../../abi/errno.ts';
import { Access } from '../../cpu/engine.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import type { Flow } from '../flow.ts';
import { PageNeeded } from '../guest-memory.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';

/** Up to `length` bytes of an object from `offset`, through the page cache; fewer at the end of the file. */
export function* readObject(kernel: Kernel, object: number, offset: number, length: number): Flow<Uint8Array> {
  const into = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const at = offset + done;
    const within = at % PAGE_SIZE;
    const page = (yield (resume) => kernel.faults.fetch(object, at - within, resume)) as Uint8Array | undefined;
    if (page === undefined || page.length <= within) break;
    const part = page.subarray(within, Math.min(page.length, within + length - done));
    into.set(part, done);
    done += part.length;
    if (page.length < PAGE_SIZE) break;
  }
  return done === length ? into : into.slice(0, done);
}

/** Writes to a process's memory, bringing pages in as need be. False if it cannot be written. */
export function* writeMemory(kernel: Kernel, process: Process, address: number, bytes: Uint8Array): Flow<boolean> {
  for (;;) {
    try {
      return !(process.memory.write(address, bytes) instanceof Errno);
    } catch (error) {
      if (!(error instanceof PageNeeded)) throw error;
      const refusal = yield (resume) => kernel.faults.serve(process, error.address, Access.Write, resume);
      if (refusal !== undefined) return false;
    }
  }
}
