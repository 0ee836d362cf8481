/** /proc/xinim: how the servers are doing (`servers`, a table) and what made them restart (`restarts`, a line each). */
import type { ProcSource } from './source.ts';

const COLUMNS = ['server', 'pid', 'health', 'requests', 'pending', 'restarts', 'refused', 'lost'];
const WIDTH = 9;
/** A reason is one line of printable ASCII, not too long. */
const line = (text: string): string => text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 120);
const seconds = (nanoseconds: number): string => (nanoseconds / 1e9).toFixed(6);

export const servers = (source: ProcSource): string =>
  `${COLUMNS.map((name) => name.padEnd(WIDTH)).join('')}last crash\n${source
    .servers()
    .map(({ name, pid, health, requests, pending, restarts, rejected, lost, history }) => {
      const last = history.at(-1);
      const fields = [name, pid, health, requests, pending, restarts, rejected, lost];
      const crash = last === undefined ? '-' : `${seconds(last.at)} ${last.call}: ${line(last.reason)}`;
      return `${fields.map((field) => String(field).padEnd(WIDTH - 1)).join(' ')} ${crash}\n`;
    })
    .join('')}`;

/** Seconds since boot, server, microseconds until the next instance was ready, the call, the reason. */
export const restarts = (source: ProcSource): string =>
  source
    .servers()
    .flatMap(({ name, history }) => history.map((restart) => ({ name, ...restart })))
    .sort((a, b) => a.at - b.at)
    .map(
      ({ at, name, duration, call, reason }) =>
        `${seconds(at)} ${name} ${Math.round(duration / 1000)} us ${call}: ${line(reason)}\n`,
    )
    .join('');
