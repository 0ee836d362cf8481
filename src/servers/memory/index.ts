/**
 * The memory manager, PID 4: which addresses of a process are mapped, to what, and with which protection (README.md). It
 * decides; the kernel's address spaces (src/memory) do it, lazily. All its state is in the store.
 */
import { memoryProtocol } from '../../ipc/protocols/memory.ts';
import type { ServerDefinition } from '../../ipc/server.ts';
import { brkCalls } from './calls/brk.ts';
import { execCalls } from './calls/exec.ts';
import { madviseCalls } from './calls/madvise.ts';
import { messageCalls } from './calls/messages.ts';
import { mlockCalls } from './calls/mlock.ts';
import { mmapCalls } from './calls/mmap.ts';
import { mprotectCalls } from './calls/mprotect.ts';
import { mremapCalls } from './calls/mremap.ts';
import { semaphoreCalls } from './calls/semaphores.ts';
import { shmCalls } from './calls/shm.ts';
import { createMemoryServer } from './state.ts';

export const memoryServer: ServerDefinition<typeof memoryProtocol> = {
  name: 'memory',
  pid: 4,
  protocol: memoryProtocol,
  create(context) {
    const m = createMemoryServer(context);
    return {
      ...execCalls(m),
      ...brkCalls(m),
      ...mmapCalls(m),
      ...mprotectCalls(m),
      ...mremapCalls(m),
      ...madviseCalls(m),
      ...mlockCalls(m),
      ...shmCalls(m),
      ...semaphoreCalls(m),
      ...messageCalls(m),
      ping: ({ value }) => ({ result: value }),
    };
  },
};
