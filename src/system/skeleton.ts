/**
 * The default root file system: its folders, configuration files, BusyBox with its links, and init. Platform-free: the
 * host supplies the bytes of BusyBox.
 */
import type { PopulateEntry } from '../fs/populate.ts';
import { APPLETS } from './applets.ts';
import { initProgram } from './init.ts';

const directories: readonly (readonly [path: string, mode: number, uid?: number])[] = [
  ['/bin', 0o755],
  ['/dev', 0o755],
  ['/etc', 0o755],
  ['/etc/init.d', 0o755],
  ['/home', 0o755],
  ['/home/user', 0o755, 1000],
  ['/lib', 0o755],
  ['/lib64', 0o755],
  ['/media', 0o755],
  ['/mnt', 0o755],
  ['/opt', 0o755],
  ['/proc', 0o555],
  ['/root', 0o700],
  ['/run', 0o755],
  ['/sbin', 0o755],
  ['/srv', 0o755],
  ['/sys', 0o555],
  ['/tmp', 0o1777],
  ['/usr', 0o755],
  ['/usr/bin', 0o755],
  ['/usr/lib', 0o755],
  ['/usr/local', 0o755],
  ['/usr/local/bin', 0o755],
  ['/usr/sbin', 0o755],
  ['/usr/share', 0o755],
  ['/var', 0o755],
  ['/var/cache', 0o755],
  ['/var/lib', 0o755],
  ['/var/log', 0o755],
  ['/var/spool', 0o755],
  ['/var/spool/cron', 0o755],
  ['/var/tmp', 0o1777],
];

const files: Readonly<Record<string, readonly [text: string, mode?: number]>> = {
  '/etc/passwd': [
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nuser:x:1000:1000:user:/home/user:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  ],
  '/etc/group': [
    'root:x:0:\ndaemon:x:1:\ntty:x:5:\ndisk:x:6:\nwheel:x:10:root\nusers:x:100:user\nuser:x:1000:\nnogroup:x:65534:\n',
  ],
  // Both accounts are locked: there is no password to log in with.
  '/etc/shadow': [
    'root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\nuser:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n',
    0o640,
  ],
  '/etc/hostname': ['xinim\n'],
  '/etc/hosts': ['127.0.0.1\tlocalhost xinim\n::1\tlocalhost\n'],
  '/etc/shells': ['/bin/sh\n/bin/ash\n'],
  '/etc/fstab': ['proc /proc proc defaults 0 0\ndev /dev devtmpfs defaults 0 0\n'],
  '/etc/issue': ['XINIM \\n \\l\n\n'],
  '/etc/os-release': ['NAME="XINIM"\nID=xinim\nPRETTY_NAME="XINIM"\nVERSION_ID="0.1"\n'],
  '/etc/nsswitch.conf': ['passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n'],
  '/etc/protocols': ['ip\t0\tIP\nicmp\t1\tICMP\ntcp\t6\tTCP\nudp\t17\tUDP\n'],
  '/etc/services': [
    'ftp\t21/tcp\nssh\t22/tcp\ntelnet\t23/tcp\nsmtp\t25/tcp\ndomain\t53/tcp\ndomain\t53/udp\nhttp\t80/tcp\nhttps\t443/tcp\n',
  ],
  '/etc/profile': [
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' +
      // No command substitution here: it would make every login shell start with a fork and an exec.
      "PS1='\\w \\$ '\n" +
      'export PS1 PAGER=less\nfor script in /etc/profile.d/*.sh; do\n  [ -r "$script" ] && . "$script"\ndone\nunset script\n',
  ],
};

const text = (value: string): Uint8Array => {
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i);
  return bytes;
};

/** The entries of the default root. Without `busybox` (it could not be installed on this host) there is no shell in it. */
export const defaultRoot = (busybox: Uint8Array | undefined): PopulateEntry[] => {
  const entries: PopulateEntry[] = directories.map(([path, mode, uid]) => ({
    type: 'directory',
    path,
    mode,
    uid,
    gid: uid,
  }));
  for (const [path, [content, mode]] of Object.entries(files))
    entries.push({ type: 'file', path, mode: mode ?? 0o644, data: text(content) });
  entries.push({ type: 'file', path: '/sbin/init', mode: 0o755, data: initProgram() });
  entries.push({ type: 'symlink', path: '/etc/mtab', mode: 0o777, target: '/proc/self/mounts' });
  entries.push({ type: 'symlink', path: '/var/run', mode: 0o777, target: '/run' });
  if (busybox !== undefined) {
    entries.push({ type: 'file', path: '/bin/busybox', mode: 0o755, data: busybox });
    for (const applet of APPLETS) {
      const path = `/${applet}`;
      if (path !== '/sbin/init') entries.push({ type: 'link', path, mode: 0o755, target: '/bin/busybox' });
    }
  }
  return entries;
};
