/**
 * Terminal attributes of Linux x86-64: flag bits, control characters, and the layouts of the kernel's `struct termios`
 * (36 bytes) and `struct termios2` (44 bytes), which share their start:
 *
 *     0 iflag u32   4 oflag u32   8 cflag u32   12 lflag u32   16 line u8   17 cc[19]   36 ispeed u32   40 ospeed u32
 */
export const IGNBRK = 0o1;
export const BRKINT = 0o2;
export const IGNPAR = 0o4;
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IUCLC = 0o1000;
export const IXON = 0o2000;
export const IXANY = 0o4000;
export const IXOFF = 0o10000;
export const IMAXBEL = 0o20000;
export const IUTF8 = 0o40000;

export const OPOST = 0o1;
export const OLCUC = 0o2;
export const ONLCR = 0o4;
export const OCRNL = 0o10;
export const ONOCR = 0o20;
export const ONLRET = 0o40;
/** Tab expansion: both bits of TABDLY. */
export const XTABS = 0o14000;

export const B38400 = 0o17;
export const CS8 = 0o60;
export const CREAD = 0o200;
export const HUPCL = 0o2000;
export const CBAUD = 0o10017;
export const BOTHER = 0o10000;

export const ISIG = 0o1;
export const ICANON = 0o2;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const TOSTOP = 0o400;
export const ECHOCTL = 0o1000;
export const ECHOPRT = 0o2000;
export const ECHOKE = 0o4000;
export const FLUSHO = 0o10000;
export const PENDIN = 0o40000;
export const IEXTEN = 0o100000;

export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSWTC = 7;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VDISCARD = 13;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;
export const NCCS = 19;

export interface Termios {
  readonly iflag: number;
  readonly oflag: number;
  readonly cflag: number;
  readonly lflag: number;
  readonly line: number;
  readonly cc: readonly number[];
  readonly ispeed: number;
  readonly ospeed: number;
}

/** What a fresh Linux terminal starts with (tty_std_termios), and IUTF8. */
export const defaultTermios: Termios = {
  iflag: ICRNL | IXON | IUTF8,
  oflag: OPOST | ONLCR,
  cflag: B38400 | CS8 | CREAD | HUPCL,
  lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
  line: 0,
  //   INTR  QUIT  ERASE KILL EOF TIME MIN SWTC START STOP SUSP EOL REPRINT DISCARD WERASE LNEXT EOL2
  cc: [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0],
  ispeed: 38400,
  ospeed: 38400,
};

export const TERMIOS_SIZE = 36;
export const TERMIOS2_SIZE = 44;

export const encodeTermios = (t: Termios, size: number): Uint8Array => {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, t.iflag, true);
  view.setUint32(4, t.oflag, true);
  view.setUint32(8, t.cflag, true);
  view.setUint32(12, t.lflag, true);
  out[16] = t.line;
  for (let i = 0; i < NCCS; i++) out[17 + i] = t.cc[i];
  if (size >= TERMIOS2_SIZE) {
    view.setUint32(36, t.ispeed, true);
    view.setUint32(40, t.ospeed, true);
  }
  return out;
};

/** Reads either layout; the short one keeps the speeds of `old`. */
export const decodeTermios = (from: Uint8Array, old: Termios): Termios => {
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const wide = from.length >= TERMIOS2_SIZE;
  return {
    iflag: view.getUint32(0, true),
    oflag: view.getUint32(4, true),
    cflag: view.getUint32(8, true),
    lflag: view.getUint32(12, true),
    line: from[16],
    cc: Array.from(from.subarray(17, 17 + NCCS)),
    ispeed: wide ? view.getUint32(36, true) : old.ispeed,
    ospeed: wide ? view.getUint32(40, true) : old.ospeed,
  };
};
