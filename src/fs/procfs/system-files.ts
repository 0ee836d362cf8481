/** Contents of the files of /proc that are no process's: proc(5), and the few of /proc/sys that programs read. */
import { KERNEL_RELEASE, KERNEL_VERSION } from '../../abi/release.ts';
import { restarts, servers } from './server-files.ts';
import type { ProcSource } from './source.ts';
import { hundredths, kilobytes, ticks } from './text.ts';

const NANOSECONDS = 1_000_000_000;
const PID_MAX = 32768;

const stat = (source: ProcSource): string => {
  const s = source.system();
  const cpu = `${ticks(s.userTime)} 0 ${ticks(s.systemTime)} ${ticks(s.idleTime)} 0 0 0 0 0 0`;
  return (
    `cpu  ${cpu}\ncpu0 ${cpu}\nintr 0\nctxt ${s.contextSwitches}\nbtime ${s.bootTime.seconds}\n` +
    `processes ${s.forks}\nprocs_running ${s.running}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`
  );
};

const meminfo = (source: ProcSource): string => {
  const { memoryTotal, memoryFree } = source.system();
  const line = (name: string, bytes: number): string =>
    `${`${name}:`.padEnd(16)}${String(kilobytes(bytes)).padStart(8)} kB\n`;
  return (
    line('MemTotal', memoryTotal) +
    line('MemFree', memoryFree) +
    line('MemAvailable', memoryFree) +
    ['Buffers', 'Cached', 'SwapCached'].map((name) => line(name, 0)).join('') +
    line('Active', memoryTotal - memoryFree) +
    ['Inactive', 'Unevictable', 'Mlocked', 'SwapTotal', 'SwapFree', 'Dirty', 'Writeback']
      .map((name) => line(name, 0))
      .join('') +
    line('AnonPages', memoryTotal - memoryFree) +
    ['Mapped', 'Shmem', 'Slab', 'SReclaimable', 'SUnreclaim', 'KernelStack', 'PageTables']
      .map((name) => line(name, 0))
      .join('') +
    line('CommitLimit', memoryTotal) +
    line('Committed_AS', memoryTotal - memoryFree)
  );
};

const loadavg = (source: ProcSource): string => {
  const { load, running, lastPid } = source.system();
  const averages = load.map((value) => value.toFixed(2)).join(' ');
  return `${averages} ${running}/${source.processes().length} ${lastPid}\n`;
};

/** What CPUID reports, and that the time stamp counter counts nanoseconds whatever happens. */
const PROCESSOR_FLAGS =
  'fpu tsc cx8 cmov clflush mmx fxsr sse sse2 syscall nx lm constant_tsc nopl nonstop_tsc cpuid pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm';

const cpuinfo = (): string =>
  `${[
    'processor\t: 0',
    'vendor_id\t: GenuineIntel',
    'cpu family\t: 6',
    'model\t\t: 26',
    'model name\t: XINIM x86-64-v2 processor',
    'stepping\t: 5',
    'microcode\t: 0x1',
    'cpu MHz\t\t: 1000.000',
    'cache size\t: 8192 KB',
    'physical id\t: 0',
    'siblings\t: 1',
    'core id\t\t: 0',
    'cpu cores\t: 1',
    'apicid\t\t: 0',
    'initial apicid\t: 0',
    'fpu\t\t: yes',
    'fpu_exception\t: yes',
    'cpuid level\t: 7',
    'wp\t\t: yes',
    `flags\t\t: ${PROCESSOR_FLAGS}`,
    'bugs\t\t:',
    'bogomips\t: 2000.00',
    'clflush size\t: 64',
    'cache_alignment\t: 64',
    'address sizes\t: 40 bits physical, 48 bits virtual',
    'power management:',
  ].join('\n')}\n\n`;

const uuid = (bytes: Uint8Array): string => {
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
};

/** The boot's identity: derived from its time, so that it stays the same and needs no state. */
const bootId = (source: ProcSource): string => {
  const { seconds, nanoseconds } = source.system().bootTime;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, seconds * NANOSECONDS);
  view.setUint32(8, nanoseconds);
  view.setUint32(12, seconds >>> 0);
  return `${uuid(bytes)}\n`;
};

const DEVICES = 'Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n';

/** Path below /proc; directories are those that paths name. */
export const systemFiles: readonly (readonly [path: string, content: (source: ProcSource) => string])[] = [
  ['cmdline', () => '\n'],
  ['cpuinfo', cpuinfo],
  ['devices', () => DEVICES],
  [
    'filesystems',
    (source) =>
      source
        .fileSystemTypes()
        .map(([name, nodev]) => `${nodev ? 'nodev' : ''}\t${name}\n`)
        .join(''),
  ],
  ['loadavg', loadavg],
  ['meminfo', meminfo],
  ['partitions', () => 'major minor  #blocks  name\n\n'],
  ['stat', stat],
  ['swaps', () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'],
  [
    'uptime',
    (source) => {
      const { uptime, idleTime } = source.system();
      return `${hundredths(uptime)} ${hundredths(idleTime)}\n`;
    },
  ],
  ['version', () => `Linux version ${KERNEL_RELEASE} (xinim) ${KERNEL_VERSION}\n`],
  ['sys/fs/file-max', () => '1048576\n'],
  ['sys/fs/file-nr', (source) => `${source.openFiles()}\t0\t1048576\n`],
  ['sys/fs/nr_open', () => '1048576\n'],
  ['sys/fs/pipe-max-size', () => '1048576\n'],
  ['sys/kernel/cap_last_cap', () => '40\n'],
  ['sys/kernel/domainname', () => '(none)\n'],
  ['sys/kernel/hostname', (source) => `${source.system().hostname}\n`],
  ['sys/kernel/ngroups_max', () => '65536\n'],
  ['sys/kernel/osrelease', () => `${KERNEL_RELEASE}\n`],
  ['sys/kernel/ostype', () => 'Linux\n'],
  ['sys/kernel/pid_max', () => `${PID_MAX}\n`],
  ['sys/kernel/threads-max', () => `${PID_MAX}\n`],
  ['sys/kernel/random/boot_id', bootId],
  ['sys/kernel/random/entropy_avail', () => '256\n'],
  ['sys/kernel/random/poolsize', () => '256\n'],
  ['sys/kernel/random/uuid', (source) => `${uuid(source.random(16))}\n`],
  ['sys/kernel/randomize_va_space', (source) => (source.system().randomised ? '2\n' : '0\n')],
  ['sys/kernel/version', () => `${KERNEL_VERSION}\n`],
  ['sys/vm/max_map_count', () => '65530\n'],
  ['sys/vm/mmap_min_addr', () => '65536\n'],
  ['sys/vm/nr_hugepages', () => '0\n'],
  ['sys/vm/overcommit_memory', () => '1\n'],
  ['sys/vm/swappiness', () => '0\n'],
  ['xinim/servers', servers],
  ['xinim/restarts', restarts],
];
