/** Character devices by number, as Linux has them (devices.txt): what opening a device file gives. */
import { ENXIO, Errno, type Result } from '../../abi/errno.ts';
import { major, minor } from '../../abi/stat.ts';
import type { FileKind } from './rows.ts';
import type { Vfs } from './state.ts';
import { controlling } from './terminal/job-control.ts';
import { mayOpenSlave } from './terminal/pty.ts';
import { PTY_FIRST } from './terminal/pty-row.ts';
import { editTerminal, PTY_MAJOR, TERMINALS } from './terminal/row.ts';

const memory: Readonly<Record<number, FileKind>> = { 3: 'null', 5: 'zero', 7: 'full', 8: 'random', 9: 'random' };

const MEMORY = 1;
const TTY = 4;
const ALTERNATE_TTY = 5;

/** ENXIO for a device that there is not, or /dev/tty without a controlling terminal. */
export const deviceKind = (vfs: Vfs, pid: number, device: number): Result<{ kind: FileKind; target: number }> => {
  const number = minor(device);
  switch (major(device)) {
    case MEMORY: {
      const kind = memory[number];
      return kind === undefined ? ENXIO : { kind, target: 0 };
    }
    case TTY: {
      if (number < 1 || number > TERMINALS) return ENXIO;
      editTerminal(vfs, number - 1);
      return { kind: 'terminal', target: number - 1 };
    }
    case ALTERNATE_TTY: {
      if (number === 1) {
        editTerminal(vfs, 0);
        return { kind: 'terminal', target: 0 };
      }
      // The pair is made when the descriptor is there.
      if (number === 2) return { kind: 'master', target: -1 };
      const view = vfs.kernel.process(pid);
      const terminal = number !== 0 || view instanceof Errno ? -1 : controlling(view);
      return terminal < 0 ? ENXIO : { kind: 'terminal', target: terminal };
    }
    case PTY_MAJOR:
      return mayOpenSlave(vfs, PTY_FIRST + number) ?? { kind: 'terminal', target: PTY_FIRST + number };
    default:
      return ENXIO;
  }
};
