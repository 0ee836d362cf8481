/** Contents of /proc/PID/*: proc(5). One function a file; the table at the end names them with their modes. */
import { Errno, type Result } from '../../abi/errno.ts';
import { major, minor } from '../../abi/stat.ts';
import type { MappingView, ProcessView, ThreadView } from '../../ipc/kernel-calls.ts';
import { inodeOf, superblockOf } from '../object-number.ts';
import type { ProcSource } from './source.ts';
import { escapePath, hex, kilobytes, mask, PAGE, pages, stateNames, ticks } from './text.ts';

const STACK = '[stack]';

/** What a file shows: of a process, or, below /proc/PID/task, of one of its threads. */
type Content = (source: ProcSource, process: ProcessView, thread: ThreadView | undefined) => string | Uint8Array;

/** A thread that runs or sleeps does so by itself; stopped and dead are all of a process's. */
const stateOf = (p: ProcessView, thread: ThreadView | undefined): ProcessView['state'] =>
  thread !== undefined && (p.state === 'R' || p.state === 'S') ? thread.state : p.state;

/** Resident bytes of private memory, of files, and of shared memory. */
const resident = (source: ProcSource, p: ProcessView): { anonymous: number; files: number; shared: number } => {
  const found = { anonymous: 0, files: 0, shared: 0 };
  for (const { start, end, backing, protection } of source.mappings(p.pid)) {
    const bytes = source.residentBytes(p.pid, start, end);
    // Writable private pages of a file are, once written, memory of the process.
    if (backing.kind === 'zero' || (backing.kind === 'file' && (protection & 2) !== 0)) found.anonymous += bytes;
    else if (backing.kind === 'file' || backing.file) found.files += bytes;
    else found.shared += bytes;
  }
  return found;
};

const sum = (mappings: readonly MappingView[], wanted: (mapping: MappingView) => boolean): number =>
  mappings.reduce((total, mapping) => (wanted(mapping) ? total + mapping.end - mapping.start : total), 0);

const isText = (mapping: MappingView): boolean => (mapping.protection & 4) !== 0;
const isData = (mapping: MappingView): boolean => (mapping.protection & 2) !== 0 && mapping.backing.kind !== 'shared';

const stat: Content = (source, p, thread) => {
  const text = source.mappings(p.pid).find(isText);
  const { nice } = thread ?? p;
  const priority = 20 + nice;
  const fields: (number | string | bigint)[] = [
    thread?.tid ?? p.pid,
    `(${(thread ?? p).name})`,
    stateOf(p, thread),
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
    ticks((thread ?? p).userTime),
    ticks((thread ?? p).systemTime),
    0,
    0,
    priority,
    nice,
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
  const { files, shared: memory } = resident(source, p);
  const shared = pages(files + memory);
  return `${pages(p.virtualBytes)} ${p.residentPages} ${shared} ${pages(sum(mappings, isText))} 0 ${pages(sum(mappings, isData))} 0\n`;
};

const status: Content = (source, p, thread) => {
  const mappings = source.mappings(p.pid);
  const size = (name: string, bytes: number): string => `${name}:\t${String(kilobytes(bytes)).padStart(8)} kB`;
  const ids = (a: number, b: number, c: number, d: number): string => `${a}\t${b}\t${c}\t${d}`;
  const lines = [
    `Name:\t${(thread ?? p).name}`,
    `Umask:\t${source.umask(p.pid).toString(8).padStart(4, '0')}`,
    `State:\t${stateNames[stateOf(p, thread)]}`,
    `Tgid:\t${p.pid}`,
    'Ngid:\t0',
    `Pid:\t${thread?.tid ?? p.pid}`,
    `PPid:\t${p.ppid}`,
    'TracerPid:\t0',
    `Uid:\t${ids(p.uid, p.euid, p.suid, p.fsuid)}`,
    `Gid:\t${ids(p.gid, p.egid, p.sgid, p.fsgid)}`,
    `FDSize:\t${Math.max(64, 2 ** Math.ceil(Math.log2(1 + (source.descriptors(p.pid).at(-1) ?? 0))))}`,
    `Groups:\t${p.groups.map((group) => `${group} `).join('')}`,
    `NStgid:\t${p.pid}`,
    `NSpid:\t${thread?.tid ?? p.pid}`,
    `NSpgid:\t${p.pgid}`,
    `NSsid:\t${p.sid}`,
  ];
  if (!p.kernel && p.state !== 'Z') {
    const { anonymous, files, shared } = resident(source, p);
    lines.push(
      size('VmPeak', p.virtualBytes),
      size('VmSize', p.virtualBytes),
      size('VmLck', 0),
      size('VmPin', 0),
      size('VmHWM', p.residentPages * PAGE),
      size('VmRSS', p.residentPages * PAGE),
      size('RssAnon', anonymous),
      size('RssFile', files),
      size('RssShmem', shared),
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
      size('HugetlbPages', 0),
      'CoreDumping:\t0',
      'THP_enabled:\t0',
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

const SMAPS_ZEROS = ['KSM', 'LazyFree', 'AnonHugePages', 'ShmemPmdMapped', 'FilePmdMapped', 'Shared_Hugetlb'];

const sizeLine = (name: string, bytes: number): string =>
  `${`${name}:`.padEnd(16)}${String(kilobytes(bytes)).padStart(8)} kB\n`;

/** Nobody counts how many processes have a page: each one's pages are called its own, those of files clean unless they are writable. */
const usage = (mappings: readonly { m: MappingView; bytes: number }[]): string => {
  const total = (wanted: (m: MappingView) => boolean): number =>
    mappings.reduce((all, { m, bytes }) => (wanted(m) ? all + bytes : all), 0);
  const all = total(() => true);
  const dirty = total((m) => m.backing.kind === 'zero' || (m.protection & 2) !== 0);
  const anonymous = total((m) => m.backing.kind === 'zero' || (m.backing.kind === 'file' && (m.protection & 2) !== 0));
  return (
    sizeLine('Rss', all) +
    sizeLine('Pss', all) +
    sizeLine('Pss_Dirty', dirty) +
    sizeLine('Shared_Clean', 0) +
    sizeLine('Shared_Dirty', 0) +
    sizeLine('Private_Clean', all - dirty) +
    sizeLine('Private_Dirty', dirty) +
    sizeLine('Referenced', all) +
    sizeLine('Anonymous', anonymous) +
    SMAPS_ZEROS.map((name) => sizeLine(name, 0)).join('') +
    ['Private_Hugetlb', 'Swap', 'SwapPss', 'Locked'].map((name) => sizeLine(name, 0)).join('')
  );
};

const withResident = (source: ProcSource, p: ProcessView): { m: MappingView; bytes: number }[] =>
  source.mappings(p.pid).map((m) => ({ m, bytes: source.residentBytes(p.pid, m.start, m.end) }));

const VM_FLAGS: readonly (readonly [bit: number, flag: string])[] = [
  [1, 'rd'],
  [2, 'wr'],
  [4, 'ex'],
];

const smaps: Content = (source, p) =>
  withResident(source, p)
    .map((entry) => {
      const { m } = entry;
      const flags = VM_FLAGS.filter(([bit]) => (m.protection & bit) !== 0).map(([, flag]) => flag);
      const more = [...(m.backing.kind === 'shared' ? ['sh'] : []), 'mr', 'mw', 'me'];
      return (
        mapLine(m) +
        sizeLine('Size', m.end - m.start) +
        sizeLine('KernelPageSize', PAGE) +
        sizeLine('MMUPageSize', PAGE) +
        usage([entry]) +
        `THPeligible:    0\nVmFlags: ${[...flags, ...more].join(' ')} \n`
      );
    })
    .join('');

const smapsRollup: Content = (source, p) => {
  const entries = withResident(source, p);
  if (entries.length === 0) return '';
  const range = `${hex(entries[0].m.start, 8)}-${hex(entries.at(-1)!.m.end, 8)} ---p 00000000 00:00 0 `;
  return `${range.padEnd(73)}[rollup]\n${usage(entries)}`;
};

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
  readonly content: Content;
}

const file = (name: string, content: Content, mode = 0o444, perThread = true): ProcessFile => ({
  name,
  mode,
  perThread,
  content,
});

/** The only user namespace there is. */
const IDENTITY_MAP = '         0          0 4294967295\n';

export const processFiles: readonly ProcessFile[] = [
  file('stat', stat),
  file('statm', statm),
  file('status', status),
  file('cmdline', (s, p) => memory(s, p.pid, p.argumentsStart, p.argumentsEnd)),
  file('environ', (s, p) => memory(s, p.pid, p.environmentStart, p.environmentEnd), 0o400),
  file('comm', (_s, p, thread) => `${(thread ?? p).name}\n`),
  file('maps', maps),
  file('smaps', smaps),
  file('mounts', mounts),
  file('mountinfo', mountinfo),
  file('limits', limits),
  file('cgroup', () => ''),
  file('auxv', (_s, p) => p.auxiliary, 0o400),
  file('smaps_rollup', smapsRollup, 0o444, false),
  // What a core dump has in it (core(5)): written private and shared memory, first pages of ELF files.
  file('coredump_filter', (_s, p) => (p.kernel ? '' : '00000033\n'), 0o444, false),
  file('loginuid', () => '4294967295'),
  file('sessionid', () => '4294967295'),
  file('uid_map', () => IDENTITY_MAP),
  file('gid_map', () => IDENTITY_MAP),
  file('projid_map', () => IDENTITY_MAP),
  file('setgroups', () => 'allow\n'),
  file('oom_adj', () => '0\n'),
  file('oom_score', () => '0\n'),
  file('oom_score_adj', () => '0\n'),
  file('wchan', () => '0'),
];

/** Contents of /proc/PID/fdinfo/FD. */
export const fdinfo = (source: ProcSource, pid: number, fd: number): Result<string> => {
  const found = source.file(pid, fd);
  if (found instanceof Errno) return found;
  return `pos:\t${found.position}\nflags:\t0${found.flags.toString(8)}\nmnt_id:\t${found.mount}\nino:\t${found.ino}\n`;
};
