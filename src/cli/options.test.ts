import { expect, test, vi } from 'vitest';
import { parseArguments, parseMount, parseSize } from './options.ts';

const parse = (line: string) => parseArguments(line.split(' ').filter(Boolean), '0');

test('no arguments start a shell with defaults', () => {
  expect(parse('')).toMatchObject({ kind: 'shell', command: undefined, ipc: 'sealed' });
});

test('options of a program are not ours', () => {
  expect(parse('run --env A=b ./x --trace -c y')).toMatchObject({
    kind: 'run',
    path: './x',
    args: ['--trace', '-c', 'y'],
    env: { A: 'b' },
  });
});

test('options before the command count, those behind it win', () => {
  expect(parse('--ipc direct --memory 64M exec --memory 128M /bin/ls -l /')).toMatchObject({
    kind: 'exec',
    ipc: 'direct',
    memory: 128 * 1024 ** 2,
    path: '/bin/ls',
    args: ['-l', '/'],
  });
});

test('--trace does not take the next word', () => {
  expect(parse('--trace -c ls')).toMatchObject({ kind: 'shell', command: 'ls', trace: '' });
  expect(parse('run --trace --stats=f ./x')).toMatchObject({ path: './x', trace: '', stats: 'f' });
  expect(parse('--trace=read,write exec /x --trace')).toMatchObject({
    trace: 'read,write',
    args: ['--trace'],
  });
});

test('a root is a path, written only if that is said', () => {
  expect(parse('--root /r')).toMatchObject({ root: { path: '/r', writable: false } });
  expect(parse('--root /r:rw exec /x')).toMatchObject({ root: { path: '/r', writable: true }, path: '/x' });
  expect(parse('--root i.tar run')).toMatchObject({ kind: 'shell', root: { path: 'i.tar' } });
  expect(parse('--user ann:staff -c id')).toMatchObject({ user: 'ann:staff' });
});

test('images are made without a system', () => {
  expect(parse('image build --packages a,b -o x.tar')).toMatchObject({ kind: 'image' });
  expect(parse('image import a.tar -o x.tar')).toMatchObject({ kind: 'image' });
  expect(parse('image ls x.tar /etc')).toMatchObject({ kind: 'image' });
});

test('mounts', () => {
  expect(parseMount('/a:/b')).toEqual([{ host: '/a', guest: '/b', readOnly: false }]);
  expect(parseMount('C:\\x:/b:ro')).toEqual([{ host: 'C:\\x', guest: '/b', readOnly: true }]);
  expect(() => parseMount('/a')).toThrow(/HOST:GUEST/);
  expect(() => parseMount('/a:b')).toThrow(/absolute/);
});

test('sizes', () => {
  expect(parseSize('1g')).toBe(1024 ** 3);
  expect(() => parseSize('12X')).toThrow();
  expect(() => parseSize('5')).toThrow(/at least/);
});

test('an unknown option ends with a message and status 1', () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  const error = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  expect(() => parse('--nonsense')).toThrow('exit 1');
  expect(error.mock.calls.join('')).toContain('--nonsense');
  exit.mockRestore();
  error.mockRestore();
});
