/** mprotect(2) and pkey_mprotect(2). */
import { EACCES, EINVAL, ENOMEM, Errno } from '../../../abi/errno.ts';
import { PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_SEM, PROT_WRITE } from '../../../abi/mman.ts';
import { mayBecomeData } from '../limits.ts';
import { change, endOf, isData, overlapping, regionAt } from '../regions.ts';
import { NO_WRITE, STACK } from '../rows.ts';
import { aligned, inUserSpace, type MemoryHandlers, type MemoryServer, pageUp } from '../state.ts';

const PROTECTION = PROT_READ | PROT_WRITE | PROT_EXEC;

const mprotect = (
  m: MemoryServer,
  pid: number,
  addr: number,
  length: number,
  protection: number,
): Errno | { result: number } => {
  const grows = protection & (PROT_GROWSDOWN | PROT_GROWSUP);
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP)) return EINVAL;
  if (!aligned(addr)) return EINVAL;
  if (length === 0) return { result: 0 };
  if (length < 0 || !inUserSpace(addr, length)) return ENOMEM;
  if ((protection & ~(PROTECTION | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP)) !== 0) return EINVAL;
  const prot = protection & PROTECTION;
  const end = addr + pageUp(length);

  let start = addr;
  if (grows !== 0) {
    // The change extends to the end towards which the region grows; none grows up.
    const first = regionAt(m, pid, addr);
    if (first === undefined) return ENOMEM;
    if (grows === PROT_GROWSUP || (first[1].flags & STACK) === 0) return EINVAL;
    start = first[0];
  }
  // Regions are changed one after the other; the first that refuses, or a hole, ends it (as on Linux, those before stay changed).
  let at = start;
  for (const entry of overlapping(m, pid, start, end)) {
    const [from, region] = entry;
    if (from > at) return ENOMEM;
    const to = Math.min(end, endOf(entry));
    if (region.prot !== prot) {
      if ((prot & PROT_WRITE) !== 0 && (region.flags & NO_WRITE) !== 0) return EACCES;
      if (isData(prot, region.flags) && !isData(region.prot, region.flags)) {
        const refused = mayBecomeData(m, pid, to - at);
        if (refused !== undefined) return refused;
      }
      const changed = m.context.kernel.changeProtection(pid, at, to - at, prot);
      if (changed instanceof Errno) return changed;
      change(m, pid, at, to, (row) => {
        row.prot = prot;
      });
    }
    at = to;
  }
  return at < end ? ENOMEM : { result: 0 };
};

export const mprotectCalls = (m: MemoryServer): Pick<MemoryHandlers, 'mprotect' | 'pkeyMprotect'> => ({
  mprotect: ({ addr, length, protection }, { caller: { pid } }) => mprotect(m, pid, addr, length, protection),

  /** The processor has no protection keys, so none can have been allocated. */
  pkeyMprotect: ({ addr, length, protection, key }, { caller: { pid } }) =>
    key === -1 ? mprotect(m, pid, addr, length, protection) : EINVAL,
});
