/** System calls that the memory manager answers (ipc/protocols/memory.ts). mmap starts in the kernel: see syscalls/kernel.ts. */
import { address, choice, flags, int, size, structInOut } from '../arguments.ts';
import {
  ADVICES,
  MLOCK2_FLAGS,
  MLOCKALL_FLAGS,
  MREMAP_FLAGS,
  MSYNC_FLAGS,
  PROTECTIONS,
  residencyVector,
} from '../mman.ts';
import { SHMAT_FLAGS, SHMCTL_COMMANDS, SHMGET_FLAGS, SHMID_DS_BYTES } from '../shm.ts';
import { syscall } from '../syscall.ts';

const protection = flags('prot', PROTECTIONS, 'PROT_NONE');

export const memorySyscalls = {
  mprotect: syscall(10, 'memory', 'mprotect', { addr: address, length: size, protection }),
  munmap: syscall(11, 'memory', 'munmap', { addr: address, length: size }),
  brk: syscall(12, 'memory', 'brk', { addr: address }),
  mremap: syscall(25, 'memory', 'mremap', {
    oldAddr: address,
    oldLength: size,
    newLength: size,
    flags: flags('mremap flags', MREMAP_FLAGS),
    newAddr: address,
  }),
  msync: syscall(26, 'memory', 'msync', { addr: address, length: size, flags: flags('msync flags', MSYNC_FLAGS) }),
  mincore: syscall(27, 'memory', 'mincore', { addr: address, length: size, vec: residencyVector(1) }),
  madvise: syscall(
    28,
    'memory',
    'madvise',
    { addr: address, length: size, advice: choice('advice', ADVICES) },
    {
      partial: 'MADV_REMOVE is refused; paging advice changes nothing',
    },
  ),
  shmget: syscall(29, 'memory', 'shmget', { key: int, size, flags: flags('shm flags', SHMGET_FLAGS) }),
  shmat: syscall(30, 'memory', 'shmat', { id: int, addr: address, flags: flags('shmat flags', SHMAT_FLAGS) }),
  shmctl: syscall(31, 'memory', 'shmctl', {
    id: int,
    command: choice('shmctl command', SHMCTL_COMMANDS),
    buf: structInOut('struct shmid_ds', SHMID_DS_BYTES),
  }),
  shmdt: syscall(67, 'memory', 'shmdt', { addr: address }),
  mlock: syscall(149, 'memory', 'mlock', { addr: address, length: size }, { with: { flags: 0 } }),
  munlock: syscall(150, 'memory', 'munlock', { addr: address, length: size }),
  mlockall: syscall(151, 'memory', 'mlockall', { flags: flags('mlockall flags', MLOCKALL_FLAGS) }),
  munlockall: syscall(152, 'memory', 'munlockall', {}),
  mlock2: syscall(325, 'memory', 'mlock', { addr: address, length: size, flags: flags('mlock flags', MLOCK2_FLAGS) }),
  pkey_mprotect: syscall(
    329,
    'memory',
    'pkeyMprotect',
    { addr: address, length: size, protection, key: int },
    { partial: 'the processor has no protection keys: only key −1' },
  ),
};
