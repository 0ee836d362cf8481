/** The auxiliary vector of a new program (getauxval(3)), in the order in which Linux's create_elf_tables has it. */
import * as at from '../../abi/auxv.ts';
import { PROGRAM_HEADER_BYTES } from '../../abi/elf.ts';
import { FEATURES_EDX } from '../../cpu/features.ts';
import type { Identity } from '../../ipc/kernel-calls.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import type { Image } from './image.ts';
import type { StackContents } from './stack.ts';

export interface VectorContents {
  readonly image: Image;
  /** The dynamic loader's. */
  readonly loader: Image | undefined;
  readonly identity: Identity;
  readonly secure: boolean;
  /** Address of the vDSO's image. */
  readonly vdso: number;
}

export const auxiliaryVector =
  ({ image, loader, identity, secure, vdso }: VectorContents): StackContents['auxv'] =>
  (places) => [
    [at.AT_SYSINFO_EHDR, vdso],
    [at.AT_MINSIGSTKSZ, at.MINIMUM_SIGNAL_STACK],
    [at.AT_HWCAP, FEATURES_EDX],
    [at.AT_PAGESZ, PAGE_SIZE],
    [at.AT_CLKTCK, at.CLOCK_TICKS],
    [at.AT_PHDR, image.headers],
    [at.AT_PHENT, PROGRAM_HEADER_BYTES],
    [at.AT_PHNUM, image.headerCount],
    [at.AT_BASE, loader?.bias ?? 0],
    [at.AT_FLAGS, 0],
    [at.AT_ENTRY, image.entry],
    [at.AT_UID, identity.uid],
    [at.AT_EUID, identity.euid],
    [at.AT_GID, identity.gid],
    [at.AT_EGID, identity.egid],
    [at.AT_SECURE, secure ? 1 : 0],
    [at.AT_RANDOM, places.random],
    [at.AT_HWCAP2, 0],
    [at.AT_EXECFN, places.execfn],
    [at.AT_PLATFORM, places.platform],
  ];
