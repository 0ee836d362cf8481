import { describe, expect, it } from 'vitest';
import { Machine } from '../testing/machine.ts';

/** A shell 5 with two children 6 and 7 in its session, and a stranger 8 in another. */
const session = () => {
  const machine = new Machine();
  const shell = machine.spawn();
  const children = [machine.fork(shell), machine.fork(shell)];
  return { machine, shell, children, stranger: machine.spawn() };
};

describe('process groups', () => {
  it.each([
    ['itself into a group of its own', 6, 0, 0, 0],
    ['its child into a group of its own', 5, 6, 6, 0],
    ['its child into the group of a sibling that has none', 5, 6, 7, -1],
    ['itself into its own session’s group', 6, 0, 5, 0],
    ['itself into a group of another session', 6, 0, 8, -1],
    ['itself, the session leader', 5, 0, 0, -1],
    ['its parent', 6, 5, 5, -3],
    ['its sibling', 6, 7, 0, -3],
    ['no process', 5, 99, 0, -3],
    ['a negative group', 5, 6, -1, -22],
  ])('setpgid of %s: by %i (%i, %i) is %i', (_, caller, pid, pgid, result) => {
    const { machine } = session();
    expect(machine.result(caller, 'setpgid', { pid, pgid })).toBe(result);
    if (result === 0) {
      const target = pid === 0 ? caller : pid;
      const group = pgid === 0 ? target : pgid;
      expect(machine.result(caller, 'getpgid', { pid: target })).toBe(group);
      expect(machine.identities.get(target)?.pgid).toBe(group);
      expect(machine.table.groups.get(group)?.members).toContain(target);
    }
  });

  it('setpgid of a child that has executed is EACCES, of one in another session EPERM', () => {
    const { machine, shell, children } = session();
    machine.kernel('execCommit', {
      pid: children[0],
      tid: children[0],
      name: 'x',
      setuid: -1,
      setgid: -1,
      readable: true,
    });
    expect(machine.result(shell, 'setpgid', { pid: children[0], pgid: 0 })).toBe(-13);
    expect(machine.result(children[0], 'setpgid', { pid: 0, pgid: 0 })).toBe(0);
    machine.result(children[1], 'setsid', {});
    expect(machine.result(shell, 'setpgid', { pid: children[1], pgid: 0 })).toBe(-1);
  });

  it('setsid makes a session and a group, unless the caller leads a group', () => {
    const { machine, shell, children } = session();
    const [child] = children;
    expect(machine.result(shell, 'setsid', {})).toBe(-1);
    expect(machine.result(child, 'setsid', {})).toBe(child);
    expect(machine.identities.get(child)).toMatchObject({ pgid: child, sid: child, terminal: 0 });
    expect(machine.result(shell, 'getsid', { pid: child })).toBe(child);
    expect(machine.table.sessions.get(child)?.groups).toEqual([child]);
    expect(machine.table.groups.get(shell)?.members).toEqual([shell, children[1]]);
    machine.result(children[1], 'setpgid', { pid: 0, pgid: 0 });
    expect(machine.result(children[1], 'setsid', {})).toBe(-1);
    expect(machine.result(shell, 'getsid', { pid: 99 })).toBe(-3);
    expect(machine.result(shell, 'getpgid', { pid: 99 })).toBe(-3);
  });

  it('a group and a session go with their last member', () => {
    const { machine, shell, children } = session();
    const [child] = children;
    machine.result(child, 'setsid', {});
    machine.exit(child);
    expect(machine.table.groups.has(child)).toBe(true);
    machine.result(shell, 'wait4', { pid: child, status: null, options: 0, usage: null });
    expect(machine.table.groups.has(child)).toBe(false);
    expect(machine.table.sessions.has(child)).toBe(false);
  });
});
