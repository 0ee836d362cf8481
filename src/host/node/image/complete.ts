/**
 * What the maintainer scripts of Debian packages would have set up and programs need: accounts, name services, links of
 * update-alternatives, certificates, the time zone, PAM, the list of what is installed. Scripts are never run; this is data
 * of our own, or a package's own template where it brings one. What a package has itself brought is never replaced.
 */
import { isDirectory, S_IFDIR, S_IFLNK, S_IFREG } from '../../../abi/stat.ts';
import { ArchiveError } from '../../../fs/tar/header.ts';
import type { FileTree } from '../../../fs/tar/tree.ts';
import { parsePasswd } from '../users.ts';
import { ALTERNATIVES } from './alternatives.ts';
import { textOf } from './contents.ts';

const USER = 1000;
const SHADOW_GROUP = 42;
/** Days since the epoch of the last change of passwords, in /etc/shadow: any will do. */
const CHANGED = 19000;

const FOLDERS: readonly (readonly [path: string, mode: number, uid?: number])[] = [
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['home/user', 0o755, USER],
  ['media', 0o755],
  ['mnt', 0o755],
  ['opt', 0o755],
  ['proc', 0o555],
  ['root', 0o700],
  ['run', 0o755],
  ['run/lock', 0o1777],
  ['srv', 0o755],
  ['sys', 0o555],
  ['tmp', 0o1777],
  ['usr/local/bin', 0o755],
  ['var/cache', 0o755],
  ['var/lib/misc', 0o755],
  ['var/log', 0o755],
  ['var/spool', 0o755],
  ['var/tmp', 0o1777],
];

const PASSWD =
  'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';
const GROUP = 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nshadow:x:42:\nusers:x:100:\nnogroup:x:65534:\n';

const PAM: Readonly<Record<string, string>> = {
  'common-auth':
    'auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n',
  'common-account':
    'account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n',
  'common-password':
    'password [success=1 default=ignore] pam_unix.so obscure yescrypt\npassword requisite pam_deny.so\npassword required pam_permit.so\n',
  'common-session':
    'session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\nsession required pam_unix.so\n',
  'common-session-noninteractive':
    'session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\nsession required pam_unix.so\n',
};

/** Templates that packages bring and their scripts copy. */
const COPIES: readonly (readonly [from: string, to: string])[] = [
  ['usr/share/base-files/profile', 'etc/profile'],
  ['usr/share/base-files/dot.profile', 'root/.profile'],
  ['usr/share/base-files/dot.bashrc', 'root/.bashrc'],
  ['etc/skel/.profile', 'home/user/.profile'],
  ['etc/skel/.bashrc', 'home/user/.bashrc'],
  ['usr/share/libc-bin/nsswitch.conf', 'etc/nsswitch.conf'],
  ['usr/share/base-files/nsswitch.conf', 'etc/nsswitch.conf'],
];

const SHELLS = ['sh', 'bash', 'rbash', 'dash', 'mksh', 'ksh', 'zsh', 'fish', 'tcsh', 'csh'];

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

class Completion {
  constructor(
    readonly tree: FileTree,
    readonly mtime: number,
  ) {}

  has(path: string): boolean {
    return this.tree.find(path) !== undefined;
  }

  text(path: string): string | undefined {
    const node = this.tree.find(path);
    return node === undefined ? undefined : textOf(node);
  }

  folder(path: string, mode: number, uid = 0): void {
    // The folder that a link leads to counts.
    const there = this.tree.find(path);
    if (there !== undefined && isDirectory(there.mode)) {
      there.mode = S_IFDIR | mode;
      there.uid = there.gid = uid;
    } else this.#add(path, { mode: S_IFDIR | mode, uid, gid: uid });
  }

  file(path: string, text: string, mode = 0o644, uid = 0, gid = uid): void {
    if (this.tree.find(path, false) === undefined)
      this.#add(path, { mode: S_IFREG | mode, uid, gid, bytes: latin1(text) });
  }

  link(path: string, target: string): void {
    if (this.tree.find(path, false) === undefined) this.#add(path, { mode: S_IFLNK | 0o777, target });
  }

  #add(path: string, node: Parameters<FileTree['add']>[1]): void {
    const added = this.tree.add(path, { mtime: this.mtime, ...node });
    if (added instanceof ArchiveError) throw new Error(added.text);
  }
}

const accounts = (root: Completion): void => {
  const shell = ['bin/bash', 'bin/dash', 'bin/sh'].find((path) => root.has(path)) ?? 'bin/sh';
  // The templates of base-passwd have a star where the password goes.
  const passwd = (root.text('usr/share/base-passwd/passwd.master') ?? PASSWD)
    .replace(/^([^:\n]+):[^:\n]*:/gm, '$1:x:')
    .replace(/^root:.*$/m, `root:x:0:0:root:/root:/${shell}`);
  const all = `${passwd}user:x:${USER}:${USER}:user:/home/user:/${shell}\n`;
  const group = (root.text('usr/share/base-passwd/group.master') ?? GROUP).replace(/^([^:\n]+):[^:\n]*:/gm, '$1:x:');
  root.file('etc/passwd', all);
  root.file('etc/group', `${group}user:x:${USER}:\n`);
  // Nobody has a password: root becomes anybody, nobody becomes root.
  const shadow = parsePasswd(all).map(({ name }) => `${name}:*:${CHANGED}:0:99999:7:::\n`);
  root.file('etc/shadow', shadow.join(''), 0o640, 0, SHADOW_GROUP);
};

const alternatives = (root: Completion): void => {
  for (const [name, link, targets] of ALTERNATIVES) {
    const target = targets.find((path) => root.has(path));
    if (target === undefined || target === link || root.tree.find(link, false) !== undefined) continue;
    root.link(`etc/alternatives/${name}`, `/${target}`);
    root.link(link, `/etc/alternatives/${name}`);
  }
  const sh = ['dash', 'bash', 'busybox', 'mksh'].find((name) => root.has(`bin/${name}`));
  if (sh !== undefined) root.link('usr/bin/sh', sh);
};

const certificates = (root: Completion): void => {
  const list = root.tree.find('usr/share/ca-certificates/mozilla')?.children;
  if (list === undefined) return;
  const names = [...list.keys()].filter((name) => name.endsWith('.crt')).sort();
  root.file('etc/ssl/certs/ca-certificates.crt', names.map((name) => textOf(list.get(name)!)).join(''));
};

/** Adds to a tree of packages what is missing. `mtime` is that of everything added. Throws Errors. */
export const complete = (tree: FileTree, mtime: number): void => {
  const root = new Completion(tree, mtime);
  for (const [path, mode, uid] of FOLDERS) root.folder(path, mode, uid);
  accounts(root);
  alternatives(root);
  certificates(root);
  for (const [from, to] of COPIES) {
    const text = root.text(from);
    const uid = to.startsWith('home/user') ? USER : 0;
    if (text !== undefined) root.file(to, text, 0o644, uid);
  }
  root.file(
    'etc/nsswitch.conf',
    'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  );
  root.file('etc/hostname', 'xinim\n');
  root.file('etc/hosts', '127.0.0.1\tlocalhost xinim\n::1\tlocalhost\n');
  root.file('etc/fstab', '');
  root.file('etc/ld.so.conf', 'include /etc/ld.so.conf.d/*.conf\n');
  root.file('etc/environment', '');
  root.file('etc/default/locale', 'LANG=C.UTF-8\n');
  const shells = SHELLS.filter((name) => root.has(`bin/${name}`)).flatMap((name) => [
    `/bin/${name}`,
    `/usr/bin/${name}`,
  ]);
  root.file('etc/shells', `${shells.join('\n')}\n`);
  root.link('etc/mtab', '/proc/self/mounts');
  root.link('var/run', '/run');
  root.link('var/lock', '/run/lock');
  if (root.has('usr/share/zoneinfo/Etc/UTC')) {
    root.link('etc/localtime', '/usr/share/zoneinfo/Etc/UTC');
    root.file('etc/timezone', 'Etc/UTC\n');
  }
  if (root.has('etc/pam.d')) for (const [name, text] of Object.entries(PAM)) root.file(`etc/pam.d/${name}`, text);
};
