/** Contents of /proc/PID/*: proc(5). One function a file; the table at the end names them with their modes. */
import { Errno, type Result } from '../../abi/errno.ts';
import { major, minor } from '../../abi/stat.ts';
import type { MappingView, ProcessView } from '../../ipc/kernel-calls.ts';
import { inodeOf, superblockOf } from '../object-number.ts';
import type { ProcSource } from './source.ts';
import { escapePath, hex, kilobytes, mask, PAGE, pages, stateNames, ticks } from './text.ts';

const STACK = '[stack]';

const sum = (mappings: readonly MappingView[], wanted: (mapping: MappingView) => boolean): number =>
  mappings.reduce((total, mapping) => (wanted(mapping) ? total + mapping.end - mapping.start : total), 0);

const isText = (mapping: MappingView): boolean => (mapping.protection & 4) !== 0;
const isData = (mapping: MappingView): boolean => (mapping.protection & 2) !== 0 && mapping.backing.kind !== 'shared';

const stat = (source: ProcSource, p: ProcessView): string => {
  const text = source.mappings(p.pid).find(isText);
  const priority = 20 + p.nice;
  const fields: (number | string | bigint)[] = [
    p.pid,
    `(${p.name})`,
    p.state,
    p.ppid,
    p.pgid,
    p.sid,
    p.terminal,
    p.terminal === 0 ? -1 : source.foreground(p.terminal),
    p.kernel ? 0x200000 : 0x400000,
    p.minorFaults,
    0,
    p.majorFaults,
    0,
    ticks(p.userTime),
    ticks(p.systemTime),
    0,
    0,
    priority,
    p.nice,
    p.threads,
    0,
    ticks(p.startTime),
    p.virtualBytes,
    p.residentPages,
    '18446744073709551615',
    text?.start ?? 0,
    text?.end ?? 0,
    p.stackStart,
    0,
    0,
    // Only the lower 31 signals stand here, for old programs: proc(5).
    p.pending & 0x7fff_ffffn,
    p.blocked & 0x7fff_ffffn,
    p.ignored & 0x7fff_ffffn,
    p.caught & 0x7fff_ffffn,
    0,
    0,
    0,
    17,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    p.heapStart,
    p.argumentsStart,
    p.argumentsEnd,
    p.environmentStart,
    p.environmentEnd,
    0,
  ];
  return `${fields.join(' ')}\n`;
};

const statm = (source: ProcSource, p: ProcessView): string => {
  const mappings = source.mappings(p.pid);
  const shared = Math.min(p.residentPages, pages(sum(mappings, (m) => m.backing.kind !== 'zero')));
  return `${pages(p.virtualBytes)} ${p.residentPages} ${shared} ${pages(sum(mappings, isText))} 0 ${pages(sum(mappings, isData))} 0\n`;
};

const status = (source: ProcSource, p: ProcessView): string => {
  const mappings = source.mappings(p.pid);
  const size = (name: string, bytes: number): string => `${name}:\t${String(kilobytes(bytes)).padStart(8)} kB`;
  const ids = (a: number, b: number, c: number, d: number): string => `${a}\t${b}\t${c}\t${d}`;
  const lines = [
    `Name:\t${p.name}`,
    `Umask:\t${source.umask(p.pid).toString(8).padStart(4, '0')}`,
    `State:\t${stateNames[p.state]}`,
    `Tgid:\t${p.pid}`,
    'Ngid:\t0',
    `Pid:\t${p.pid}`,
    `PPid:\t${p.ppid}`,
    'TracerPid:\t0',
    `Uid:\t${ids(p.uid, p.euid, p.suid, p.fsuid)}`,
    `Gid:\t${ids(p.gid, p.egid, p.sgid, p.fsgid)}`,
    `FDSize:\t${Math.max(64, 2 ** Math.ceil(Math.log2(1 + (source.descriptors(p.pid).at(-1) ?? 0))))}`,
    `Groups:\t${p.groups.map((group) => `${group} `).join('')}`,
    `NStgid:\t${p.pid}`,
    `NSpid:\t${p.pid}`,
    `NSpgid:\t${p.pgid}`,
    `NSsid:\t${p.sid}`,
  ];
  if (!p.kernel && p.state !== 'Z') {
    lines.push(
      size('VmPeak', p.virtualBytes),
      size('VmSize', p.virtualBytes),
      size('VmLck', 0),
      size('VmPin', 0),
      size('VmHWM', p.residentPages * PAGE),
      size('VmRSS', p.residentPages * PAGE),
      size(
        'VmData',
        sum(mappings, (m) => isData(m) && m.name !== STACK),
      ),
      size(
        'VmStk',
        sum(mappings, (m) => m.name === STACK),
      ),
      size('VmExe', sum(mappings, isText)),
      size('VmLib', 0),
      size('VmPTE', 0),
      size('VmSwap', 0),
    );
  }
  lines.push(
    `Threads:\t${p.threads}`,
    'SigQ:\t0/0',
    `SigPnd:\t${mask(p.pending)}`,
    `ShdPnd:\t${mask(0n)}`,
    `SigBlk:\t${mask(p.blocked)}`,
    `SigIgn:\t${mask(p.ignored)}`,
    `SigCgt:\t${mask(p.caught)}`,
    `CapInh:\t${mask(p.capabilities.inheritable)}`,
    `CapPrm:\t${mask(p.capabilities.permitted)}`,
    `CapEff:\t${mask(p.capabilities.effective)}`,
    `CapBnd:\t${mask(p.capabilities.bounding)}`,
    `CapAmb:\t${mask(p.capabilities.ambient)}`,
    `NoNewPrivs:\t${p.noNewPrivileges ? 1 : 0}`,
    `Seccomp:\t${p.seccomp}`,
    'Cpus_allowed:\t1',
    'Cpus_allowed_list:\t0',
    'Mems_allowed:\t1',
    'Mems_allowed_list:\t0',
  );
  return `${lines.join('\n')}\n`;
};

/** The bytes of the argument or environment strings, or nothing where the process has no memory (zombies, servers). */
const memory = (source: ProcSource, pid: number, start: number, end: number): Uint8Array => {
  const length = Math.min(Math.max(0, end - start), 1 << 20);
  const bytes = length === 0 ? new Uint8Array(0) : source.readMemory(pid, start, length);
  return bytes instanceof Errno ? new Uint8Array(0) : bytes;
};

const mapLine = (m: MappingView): string => {
  const { backing, protection } = m;
  // [vdso] and [vvar] come from the kernel, not from a file.
  const file = (backing.kind === 'file' || (backing.kind === 'shared' && backing.file)) && !m.name.startsWith('[');
  const object = file ? backing.object : 0;
  const device = file ? superblockOf(object) : 0;
  const ino = file ? inodeOf(object) : 0;
  const offset = file ? backing.offset : 0;
  const bits = `${protection & 1 ? 'r' : '-'}${protection & 2 ? 'w' : '-'}${protection & 4 ? 'x' : '-'}${backing.kind === 'shared' ? 's' : 'p'}`;
  const line = `${hex(m.start, 8)}-${hex(m.end, 8)} ${bits} ${hex(offset, 8)} ${hex(major(device), 2)}:${hex(minor(device), 2)} ${ino} `;
  return m.name === '' ? `${line}\n` : `${line.padEnd(73)}${m.name.replaceAll('\n', '\\012')}\n`;
};

const maps = (source: ProcSource, p: ProcessView): string => source.mappings(p.pid).map(mapLine).join('');

/** Sizes only: which pages are resident is known to the memory manager alone. */
const smaps = (source: ProcSource, p: ProcessView): string =>
  source
    .mappings(p.pid)
    .map((m) => {
      const line = (name: string, bytes: number): string =>
        `${`${name}:`.padEnd(16)}${String(kilobytes(bytes)).padStart(8)} kB\n`;
      return mapLine(m) + line('Size', m.end - m.start) + line('KernelPageSize', PAGE) + line('MMUPageSize', PAGE);
    })
    .join('');

const LIMITS: readonly (readonly [name: string, units: string])[] = [
  ['Max cpu time', 'seconds'],
  ['Max file size', 'bytes'],
  ['Max data size', 'bytes'],
  ['Max stack size', 'bytes'],
  ['Max core file size', 'bytes'],
  ['Max resident set', 'bytes'],
  ['Max processes', 'processes'],
  ['Max open files', 'files'],
  ['Max locked memory', 'bytes'],
  ['Max address space', 'bytes'],
  ['Max file locks', 'locks'],
  ['Max pending signals', 'signals'],
  ['Max msgqueue size', 'bytes'],
  ['Max nice priority', ''],
  ['Max realtime priority', ''],
  ['Max realtime timeout', 'us'],
];

const limits = (_source: ProcSource, p: ProcessView): string => {
  const line = (name: string, soft: string, hard: string, units: string): string =>
    `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${units.padEnd(10)}\n`;
  const amount = (value: number): string => (value === Infinity ? 'unlimited' : String(value));
  return (
    line('Limit', 'Soft Limit', 'Hard Limit', 'Units') +
    LIMITS.map(([name, units], i) => {
      const [soft, hard] = p.limits[i] ?? [Infinity, Infinity];
      return line(name, amount(soft), amount(hard), units);
    }).join('')
  );
};

const mounts = (source: ProcSource, p: ProcessView): string =>
  source
    .mounts(p.pid)
    .map((m) => `${escapePath(m.source)} ${escapePath(m.point)} ${m.type} ${m.options} 0 0\n`)
    .join('');

/** Options of a mount; the others are those of its superblock. */
const MOUNT_WORDS = new Set(['rw', 'ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'relatime']);

const mountinfo = (source: ProcSource, p: ProcessView): string =>
  source
    .mounts(p.pid)
    .map((m) => {
      const device = `${major(m.device)}:${minor(m.device)}`;
      const words = m.options.split(',');
      const own = words.filter((word) => MOUNT_WORDS.has(word)).join(',');
      const rest = [words[0], ...words.filter((word) => !MOUNT_WORDS.has(word))].join(',');
      return `${m.id} ${m.parent} ${device} / ${escapePath(m.point)} ${own} - ${m.type} ${escapePath(m.source)} ${rest}\n`;
    })
    .join('');

export interface ProcessFile {
  readonly name: string;
  readonly mode: number;
  /** Whether it stands in /proc/PID/task/TID too. */
  readonly perThread: boolean;
  /** Refused to others than the owner and root, as ptrace access is (ENOENT/EACCES of open are the mode's affair). */
  content(source: ProcSource, process: ProcessView): string | Uint8Array;
}

const file = (
  name: string,
  content: (source: ProcSource, process: ProcessView) => string | Uint8Array,
  mode = 0o444,
  perThread = true,
): ProcessFile => ({ name, mode, perThread, content });

export const processFiles: readonly ProcessFile[] = [
  file('stat', stat),
  file('statm', statm),
  file('status', status),
  file('cmdline', (s, p) => memory(s, p.pid, p.argumentsStart, p.argumentsEnd)),
  file('environ', (s, p) => memory(s, p.pid, p.environmentStart, p.environmentEnd), 0o400),
  file('comm', (_s, p) => `${p.name}\n`),
  file('maps', maps),
  file('smaps', smaps),
  file('mounts', mounts),
  file('mountinfo', mountinfo),
  file('limits', limits),
  file('cgroup', () => ''),
  file('oom_score', () => '0\n'),
  file('oom_score_adj', () => '0\n'),
  file('wchan', () => '0'),
];

/** Contents of /proc/PID/fdinfo/FD. */
export const fdinfo = (source: ProcSource, pid: number, fd: number): Result<string> => {
  const found = source.file(pid, fd);
  if (found instanceof Errno) return found;
  return `pos:\t${found.position}\nflags:\t0${found.flags.toString(8)}\nmnt_id:\t${found.mount}\n`;
};
