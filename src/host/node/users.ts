/**
 * Who a program runs as, by the root's own /etc/passwd and /etc/group: passwd(5), group(5). Names and numbers as `--user` and
 * images give them: `name`, `uid`, `name:group`, `uid:gid`. The rule for numbers without an entry is Docker's: they stand.
 */
import type { GuestFiles } from './files.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly home: string;
  /** Login shell; '' if there is no entry. */
  readonly shell: string;
}

const ID_LIMIT = 0xffff_ffff;

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const id = (text: string): number | undefined =>
  /^\d{1,10}$/.test(text) && Number(text) < ID_LIMIT ? Number(text) : undefined;

/** Lines that are no entries are passed over, as libc does. */
export const parsePasswd = (text: string): PasswdEntry[] =>
  text.split('\n').flatMap((line) => {
    const [name, , uid, gid, , home, shell] = line.split(':');
    const [u, g] = [id(uid ?? ''), id(gid ?? '')];
    return name === '' || name.startsWith('#') || u === undefined || g === undefined
      ? []
      : [{ name, uid: u, gid: g, home: home || '/', shell: shell || '/bin/sh' }];
  });

export const parseGroup = (text: string): GroupEntry[] =>
  text.split('\n').flatMap((line) => {
    const [name, , gid, members] = line.split(':');
    const g = id(gid ?? '');
    return name === '' || name.startsWith('#') || g === undefined
      ? []
      : [{ name, gid: g, members: (members ?? '').split(',').filter((member) => member !== '') }];
  });

/** Finds a user. Throws an Error that says which name is not known. */
export const resolveUser = (wanted: string, passwd: string, group: string): User => {
  const colon = wanted.indexOf(':');
  const userPart = colon < 0 ? wanted : wanted.slice(0, colon);
  const groupPart = colon < 0 ? '' : wanted.slice(colon + 1);
  const users = parsePasswd(passwd);
  const number = id(userPart);
  const entry =
    users.find(({ name }) => name === userPart) ??
    (number === undefined ? undefined : users.find(({ uid }) => uid === number));
  if (entry === undefined && number === undefined) throw new Error(`the root has no user ${userPart} (/etc/passwd)`);
  const uid = entry?.uid ?? number!;
  const groups = parseGroup(group);
  let gid = entry?.gid ?? uid;
  if (groupPart !== '') {
    const found = groups.find(({ name }) => name === groupPart)?.gid ?? id(groupPart);
    if (found === undefined) throw new Error(`the root has no group ${groupPart} (/etc/group)`);
    gid = found;
  }
  const name = entry?.name ?? userPart;
  return {
    name,
    uid,
    gid,
    // A group that was asked for by name replaces those of the user, as it does for newgrp-like tools.
    groups: groupPart === '' ? groups.filter(({ members }) => members.includes(name)).map((g) => g.gid) : [],
    home: entry?.home ?? '/',
    shell: entry?.shell ?? '',
  };
};

/** Looks a user up in the running system's files; what is missing counts as empty. */
export const lookUpUser = async (files: GuestFiles, wanted: string): Promise<User> => {
  const read = (path: string): Promise<string> => files.readFile(path, 'utf8').catch(() => '');
  return resolveUser(wanted, await read('/etc/passwd'), await read('/etc/group'));
};
