/**
 * The vDSO as processes have it: an object of two pages that every execve maps, [vvar] with the word that the code reads,
 * and [vdso] with the image. To the memory manager and the address spaces it is a file like others; its pages come from
 * here and not from the VFS. Invariant: a word that has changed is discarded from every process before it runs again.
 */
import { PAGE_SIZE, PROT_EXEC, PROT_READ } from '../../memory/layout.ts';
import type { Kernel } from '../kernel.ts';
import { buildVdso } from './image.ts';

/** A number that no file has (fs/object-number.ts). */
export const VDSO_OBJECT = 2 ** 52;
export const VDSO_BYTES = 2 * PAGE_SIZE;

/** The mappings of the vDSO at an address: start, length, protection, offset and name of each. */
export const vdsoMappings = (address: number): readonly (readonly [number, number, number, number, string])[] => [
  [address, PAGE_SIZE, PROT_READ, 0, '[vvar]'],
  [address + PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_EXEC, PAGE_SIZE, '[vdso]'],
];

export class Vdso {
  readonly #kernel: Kernel;
  readonly #data = new Uint8Array(PAGE_SIZE);
  readonly #image = buildVdso(-PAGE_SIZE);

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#write();
  }

  /** The bytes of a page of the object; undefined past its end. */
  page(offset: number): Uint8Array | undefined {
    return offset === 0 ? this.#data : offset === PAGE_SIZE ? this.#image : undefined;
  }

  /** The time of day was set. */
  changed(): void {
    this.#write();
    for (const { space } of this.#kernel.processes.values())
      for (const { start, backing } of space?.mappings() ?? [])
        if (backing.kind === 'file' && backing.object === VDSO_OBJECT && backing.offset === 0)
          space!.discard(start, PAGE_SIZE);
  }

  #write(): void {
    new DataView(this.#data.buffer).setBigUint64(0, BigInt.asUintN(64, this.#kernel.time.base), true);
  }
}
