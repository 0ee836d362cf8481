import { expect, test } from 'vitest';
import { resolveUser } from './users.ts';

const passwd = `root:x:0:0:root:/root:/bin/bash
broken line
user:x:1000:1001:A User:/home/user:
odd:x:notanumber:1::/:/bin/sh
1234:x:77:78::/seven:/bin/sh
`;
const group = 'root:x:0:\nuser:x:1001:\nwheel:x:10:root,user\naudio:x:29:user,other\n';
const find = (wanted: string) => resolveUser(wanted, passwd, group);

test('a name gives the entry and its groups', () => {
  expect(find('user')).toEqual({
    name: 'user',
    uid: 1000,
    gid: 1001,
    groups: [10, 29],
    home: '/home/user',
    shell: '/bin/sh',
  });
  expect(find('root')).toMatchObject({ uid: 0, gid: 0, groups: [10], shell: '/bin/bash' });
});

test('a number need not have an entry, and a name that looks like one comes first', () => {
  expect(find('1000')).toMatchObject({ name: 'user', gid: 1001 });
  expect(find('5')).toEqual({ name: '5', uid: 5, gid: 5, groups: [], home: '/', shell: '' });
  expect(find('1234')).toMatchObject({ uid: 77, gid: 78 });
});

test('a group may be given by name or number', () => {
  expect(find('user:audio')).toMatchObject({ uid: 1000, gid: 29, groups: [] });
  expect(find('5:6')).toMatchObject({ uid: 5, gid: 6 });
});

test('what is not there is said', () => {
  expect(() => find('nobody')).toThrow('no user nobody');
  expect(() => find('odd')).toThrow('no user odd');
  expect(() => find('root:none')).toThrow('no group none');
  expect(() => find('4294967295')).toThrow('no user');
});
