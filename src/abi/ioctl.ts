/**
 * ioctl(2) requests that the VFS answers, with the direction and size of what the argument points to.
 * `size` 0: the argument is a plain number.
 */
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TCSETSW = 0x5403;
export const TCSETSF = 0x5404;
export const TCSBRK = 0x5409;
export const TCXONC = 0x540a;
export const TCFLSH = 0x540b;
export const TIOCEXCL = 0x540c;
export const TIOCNXCL = 0x540d;
export const TIOCSCTTY = 0x540e;
export const TIOCGPGRP = 0x540f;
export const TIOCSPGRP = 0x5410;
export const TIOCOUTQ = 0x5411;
export const TIOCSTI = 0x5412;
/** Of sockets, as are FIONREAD (SIOCINQ) and TIOCOUTQ (SIOCOUTQ). */
export const SIOCATMARK = 0x8905;
export const TIOCVHANGUP = 0x5437;
export const TIOCGETD = 0x5424;
export const TIOCSETD = 0x5423;
export const TIOCPKT = 0x5420;
export const TIOCGPTPEER = 0x5441;
export const TIOCGPTN = 0x80045430;
export const TIOCSPTLCK = 0x40045431;
export const TIOCGDEV = 0x80045432;
export const TIOCSIG = 0x40045436;
export const TIOCGPKT = 0x80045438;
export const TIOCGPTLCK = 0x80045439;
export const TIOCGEXCL = 0x80045440;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const FIONREAD = 0x541b;
export const FIONBIO = 0x5421;
export const TIOCNOTTY = 0x5422;
export const TCSBRKP = 0x5425;
export const TIOCGSID = 0x5429;
export const TCGETS2 = 0x802c542a;
export const TCSETS2 = 0x402c542b;
export const TCSETSW2 = 0x402c542c;
export const TCSETSF2 = 0x402c542d;
export const FIONCLEX = 0x5450;
export const FIOCLEX = 0x5451;

export interface IoctlShape {
  readonly name: string;
  readonly direction: 'in' | 'out' | 'both';
  readonly size: number;
}

const shape = (name: string, direction: 'in' | 'out' | 'both' = 'in', size = 0): IoctlShape => ({
  name,
  direction,
  size,
});

export const ioctlShapes: ReadonlyMap<number, IoctlShape> = new Map([
  [TCGETS, shape('TCGETS', 'out', 36)],
  [TCSETS, shape('TCSETS', 'in', 36)],
  [TCSETSW, shape('TCSETSW', 'in', 36)],
  [TCSETSF, shape('TCSETSF', 'in', 36)],
  [TCGETS2, shape('TCGETS2', 'out', 44)],
  [TCSETS2, shape('TCSETS2', 'in', 44)],
  [TCSETSW2, shape('TCSETSW2', 'in', 44)],
  [TCSETSF2, shape('TCSETSF2', 'in', 44)],
  [TCSBRK, shape('TCSBRK')],
  [TCSBRKP, shape('TCSBRKP')],
  [TCXONC, shape('TCXONC')],
  [TCFLSH, shape('TCFLSH')],
  [TIOCEXCL, shape('TIOCEXCL')],
  [TIOCNXCL, shape('TIOCNXCL')],
  [TIOCSCTTY, shape('TIOCSCTTY')],
  [TIOCNOTTY, shape('TIOCNOTTY')],
  [TIOCGPGRP, shape('TIOCGPGRP', 'out', 4)],
  [TIOCSPGRP, shape('TIOCSPGRP', 'in', 4)],
  [TIOCGSID, shape('TIOCGSID', 'out', 4)],
  [TIOCOUTQ, shape('TIOCOUTQ', 'out', 4)],
  [TIOCSTI, shape('TIOCSTI', 'in', 1)],
  [SIOCATMARK, shape('SIOCATMARK', 'out', 4)],
  [TIOCVHANGUP, shape('TIOCVHANGUP')],
  [TIOCGETD, shape('TIOCGETD', 'out', 4)],
  [TIOCSETD, shape('TIOCSETD', 'in', 4)],
  [TIOCPKT, shape('TIOCPKT', 'in', 4)],
  [TIOCGPTPEER, shape('TIOCGPTPEER')],
  [TIOCGPTN, shape('TIOCGPTN', 'out', 4)],
  [TIOCSPTLCK, shape('TIOCSPTLCK', 'in', 4)],
  [TIOCGDEV, shape('TIOCGDEV', 'out', 4)],
  [TIOCSIG, shape('TIOCSIG')],
  [TIOCGPKT, shape('TIOCGPKT', 'out', 4)],
  [TIOCGPTLCK, shape('TIOCGPTLCK', 'out', 4)],
  [TIOCGEXCL, shape('TIOCGEXCL', 'out', 4)],
  [TIOCGWINSZ, shape('TIOCGWINSZ', 'out', 8)],
  [TIOCSWINSZ, shape('TIOCSWINSZ', 'in', 8)],
  [FIONREAD, shape('FIONREAD', 'out', 4)],
  [FIONBIO, shape('FIONBIO', 'in', 4)],
  [FIONCLEX, shape('FIONCLEX')],
  [FIOCLEX, shape('FIOCLEX')],
]);
