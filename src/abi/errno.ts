/**
 * The error numbers of Linux x86-64 (asm-generic/errno.h) as values.
 *
 * A function that can fail returns `Result<T>`: the value itself, or one of the frozen `Errno` singletons below.
 * Callers test with `instanceof Errno`; nothing is wrapped and nothing is thrown. The number becomes negative only once,
 * when the kernel writes a system call's result into RAX.
 */
export class Errno {
  readonly #brand = true;
  private constructor(
    /** The positive error number. */
    readonly number: number,
    /** The symbolic name, such as `ENOENT`. */
    readonly name: string,
    /** What strerror(3) says. */
    readonly text: string,
  ) {
    Object.freeze(this);
    void this.#brand;
  }

  static readonly #byNumber = new Map<number, Errno>();

  /** Declares an error number. Only this file calls it. */
  static define(number: number, name: string, text: string): Errno {
    const errno = new Errno(number, name, text);
    Errno.#byNumber.set(number, errno);
    return errno;
  }

  /** The singleton with this (positive) number, or EIO for one that Linux does not define. */
  static of(number: number): Errno {
    return Errno.#byNumber.get(number) ?? EIO;
  }

  toString(): string {
    return this.name;
  }
}

/** A value, or why there is none. */
export type Result<T> = T | Errno;

export const EPERM = Errno.define(1, 'EPERM', 'Operation not permitted');
export const ENOENT = Errno.define(2, 'ENOENT', 'No such file or directory');
export const ESRCH = Errno.define(3, 'ESRCH', 'No such process');
export const EINTR = Errno.define(4, 'EINTR', 'Interrupted system call');
export const EIO = Errno.define(5, 'EIO', 'Input/output error');
export const ENXIO = Errno.define(6, 'ENXIO', 'No such device or address');
export const E2BIG = Errno.define(7, 'E2BIG', 'Argument list too long');
export const ENOEXEC = Errno.define(8, 'ENOEXEC', 'Exec format error');
export const EBADF = Errno.define(9, 'EBADF', 'Bad file descriptor');
export const ECHILD = Errno.define(10, 'ECHILD', 'No child processes');
export const EAGAIN = Errno.define(11, 'EAGAIN', 'Resource temporarily unavailable');
export const ENOMEM = Errno.define(12, 'ENOMEM', 'Cannot allocate memory');
export const EACCES = Errno.define(13, 'EACCES', 'Permission denied');
export const EFAULT = Errno.define(14, 'EFAULT', 'Bad address');
export const ENOTBLK = Errno.define(15, 'ENOTBLK', 'Block device required');
export const EBUSY = Errno.define(16, 'EBUSY', 'Device or resource busy');
export const EEXIST = Errno.define(17, 'EEXIST', 'File exists');
export const EXDEV = Errno.define(18, 'EXDEV', 'Invalid cross-device link');
export const ENODEV = Errno.define(19, 'ENODEV', 'No such device');
export const ENOTDIR = Errno.define(20, 'ENOTDIR', 'Not a directory');
export const EISDIR = Errno.define(21, 'EISDIR', 'Is a directory');
export const EINVAL = Errno.define(22, 'EINVAL', 'Invalid argument');
export const ENFILE = Errno.define(23, 'ENFILE', 'Too many open files in system');
export const EMFILE = Errno.define(24, 'EMFILE', 'Too many open files');
export const ENOTTY = Errno.define(25, 'ENOTTY', 'Inappropriate ioctl for device');
export const ETXTBSY = Errno.define(26, 'ETXTBSY', 'Text file busy');
export const EFBIG = Errno.define(27, 'EFBIG', 'File too large');
export const ENOSPC = Errno.define(28, 'ENOSPC', 'No space left on device');
export const ESPIPE = Errno.define(29, 'ESPIPE', 'Illegal seek');
export const EROFS = Errno.define(30, 'EROFS', 'Read-only file system');
export const EMLINK = Errno.define(31, 'EMLINK', 'Too many links');
export const EPIPE = Errno.define(32, 'EPIPE', 'Broken pipe');
export const EDOM = Errno.define(33, 'EDOM', 'Numerical argument out of domain');
export const ERANGE = Errno.define(34, 'ERANGE', 'Numerical result out of range');
export const EDEADLK = Errno.define(35, 'EDEADLK', 'Resource deadlock avoided');
export const ENAMETOOLONG = Errno.define(36, 'ENAMETOOLONG', 'File name too long');
export const ENOLCK = Errno.define(37, 'ENOLCK', 'No locks available');
export const ENOSYS = Errno.define(38, 'ENOSYS', 'Function not implemented');
export const ENOTEMPTY = Errno.define(39, 'ENOTEMPTY', 'Directory not empty');
export const ELOOP = Errno.define(40, 'ELOOP', 'Too many levels of symbolic links');
export const ENOMSG = Errno.define(42, 'ENOMSG', 'No message of desired type');
export const EIDRM = Errno.define(43, 'EIDRM', 'Identifier removed');
export const ECHRNG = Errno.define(44, 'ECHRNG', 'Channel number out of range');
export const EL2NSYNC = Errno.define(45, 'EL2NSYNC', 'Level 2 not synchronized');
export const EL3HLT = Errno.define(46, 'EL3HLT', 'Level 3 halted');
export const EL3RST = Errno.define(47, 'EL3RST', 'Level 3 reset');
export const ELNRNG = Errno.define(48, 'ELNRNG', 'Link number out of range');
export const EUNATCH = Errno.define(49, 'EUNATCH', 'Protocol driver not attached');
export const ENOCSI = Errno.define(50, 'ENOCSI', 'No CSI structure available');
export const EL2HLT = Errno.define(51, 'EL2HLT', 'Level 2 halted');
export const EBADE = Errno.define(52, 'EBADE', 'Invalid exchange');
export const EBADR = Errno.define(53, 'EBADR', 'Invalid request descriptor');
export const EXFULL = Errno.define(54, 'EXFULL', 'Exchange full');
export const ENOANO = Errno.define(55, 'ENOANO', 'No anode');
export const EBADRQC = Errno.define(56, 'EBADRQC', 'Invalid request code');
export const EBADSLT = Errno.define(57, 'EBADSLT', 'Invalid slot');
export const EBFONT = Errno.define(59, 'EBFONT', 'Bad font file format');
export const ENOSTR = Errno.define(60, 'ENOSTR', 'Device not a stream');
export const ENODATA = Errno.define(61, 'ENODATA', 'No data available');
export const ETIME = Errno.define(62, 'ETIME', 'Timer expired');
export const ENOSR = Errno.define(63, 'ENOSR', 'Out of streams resources');
export const ENONET = Errno.define(64, 'ENONET', 'Machine is not on the network');
export const ENOPKG = Errno.define(65, 'ENOPKG', 'Package not installed');
export const EREMOTE = Errno.define(66, 'EREMOTE', 'Object is remote');
export const ENOLINK = Errno.define(67, 'ENOLINK', 'Link has been severed');
export const EADV = Errno.define(68, 'EADV', 'Advertise error');
export const ESRMNT = Errno.define(69, 'ESRMNT', 'Srmount error');
export const ECOMM = Errno.define(70, 'ECOMM', 'Communication error on send');
export const EPROTO = Errno.define(71, 'EPROTO', 'Protocol error');
export const EMULTIHOP = Errno.define(72, 'EMULTIHOP', 'Multihop attempted');
export const EDOTDOT = Errno.define(73, 'EDOTDOT', 'RFS specific error');
export const EBADMSG = Errno.define(74, 'EBADMSG', 'Bad message');
export const EOVERFLOW = Errno.define(75, 'EOVERFLOW', 'Value too large for defined data type');
export const ENOTUNIQ = Errno.define(76, 'ENOTUNIQ', 'Name not unique on network');
export const EBADFD = Errno.define(77, 'EBADFD', 'File descriptor in bad state');
export const EREMCHG = Errno.define(78, 'EREMCHG', 'Remote address changed');
export const ELIBACC = Errno.define(79, 'ELIBACC', 'Can not access a needed shared library');
export const ELIBBAD = Errno.define(80, 'ELIBBAD', 'Accessing a corrupted shared library');
export const ELIBSCN = Errno.define(81, 'ELIBSCN', '.lib section in a.out corrupted');
export const ELIBMAX = Errno.define(82, 'ELIBMAX', 'Attempting to link in too many shared libraries');
export const ELIBEXEC = Errno.define(83, 'ELIBEXEC', 'Cannot exec a shared library directly');
export const EILSEQ = Errno.define(84, 'EILSEQ', 'Invalid or incomplete multibyte or wide character');
export const ERESTART = Errno.define(85, 'ERESTART', 'Interrupted system call should be restarted');
export const ESTRPIPE = Errno.define(86, 'ESTRPIPE', 'Streams pipe error');
export const EUSERS = Errno.define(87, 'EUSERS', 'Too many users');
export const ENOTSOCK = Errno.define(88, 'ENOTSOCK', 'Socket operation on non-socket');
export const EDESTADDRREQ = Errno.define(89, 'EDESTADDRREQ', 'Destination address required');
export const EMSGSIZE = Errno.define(90, 'EMSGSIZE', 'Message too long');
export const EPROTOTYPE = Errno.define(91, 'EPROTOTYPE', 'Protocol wrong type for socket');
export const ENOPROTOOPT = Errno.define(92, 'ENOPROTOOPT', 'Protocol not available');
export const EPROTONOSUPPORT = Errno.define(93, 'EPROTONOSUPPORT', 'Protocol not supported');
export const ESOCKTNOSUPPORT = Errno.define(94, 'ESOCKTNOSUPPORT', 'Socket type not supported');
export const EOPNOTSUPP = Errno.define(95, 'EOPNOTSUPP', 'Operation not supported');
export const EPFNOSUPPORT = Errno.define(96, 'EPFNOSUPPORT', 'Protocol family not supported');
export const EAFNOSUPPORT = Errno.define(97, 'EAFNOSUPPORT', 'Address family not supported by protocol');
export const EADDRINUSE = Errno.define(98, 'EADDRINUSE', 'Address already in use');
export const EADDRNOTAVAIL = Errno.define(99, 'EADDRNOTAVAIL', 'Cannot assign requested address');
export const ENETDOWN = Errno.define(100, 'ENETDOWN', 'Network is down');
export const ENETUNREACH = Errno.define(101, 'ENETUNREACH', 'Network is unreachable');
export const ENETRESET = Errno.define(102, 'ENETRESET', 'Network dropped connection on reset');
export const ECONNABORTED = Errno.define(103, 'ECONNABORTED', 'Software caused connection abort');
export const ECONNRESET = Errno.define(104, 'ECONNRESET', 'Connection reset by peer');
export const ENOBUFS = Errno.define(105, 'ENOBUFS', 'No buffer space available');
export const EISCONN = Errno.define(106, 'EISCONN', 'Transport endpoint is already connected');
export const ENOTCONN = Errno.define(107, 'ENOTCONN', 'Transport endpoint is not connected');
export const ESHUTDOWN = Errno.define(108, 'ESHUTDOWN', 'Cannot send after transport endpoint shutdown');
export const ETOOMANYREFS = Errno.define(109, 'ETOOMANYREFS', 'Too many references: cannot splice');
export const ETIMEDOUT = Errno.define(110, 'ETIMEDOUT', 'Connection timed out');
export const ECONNREFUSED = Errno.define(111, 'ECONNREFUSED', 'Connection refused');
export const EHOSTDOWN = Errno.define(112, 'EHOSTDOWN', 'Host is down');
export const EHOSTUNREACH = Errno.define(113, 'EHOSTUNREACH', 'No route to host');
export const EALREADY = Errno.define(114, 'EALREADY', 'Operation already in progress');
export const EINPROGRESS = Errno.define(115, 'EINPROGRESS', 'Operation now in progress');
export const ESTALE = Errno.define(116, 'ESTALE', 'Stale file handle');
export const EUCLEAN = Errno.define(117, 'EUCLEAN', 'Structure needs cleaning');
export const ENOTNAM = Errno.define(118, 'ENOTNAM', 'Not a XENIX named type file');
export const ENAVAIL = Errno.define(119, 'ENAVAIL', 'No XENIX semaphores available');
export const EISNAM = Errno.define(120, 'EISNAM', 'Is a named type file');
export const EREMOTEIO = Errno.define(121, 'EREMOTEIO', 'Remote I/O error');
export const EDQUOT = Errno.define(122, 'EDQUOT', 'Disk quota exceeded');
export const ENOMEDIUM = Errno.define(123, 'ENOMEDIUM', 'No medium found');
export const EMEDIUMTYPE = Errno.define(124, 'EMEDIUMTYPE', 'Wrong medium type');
export const ECANCELED = Errno.define(125, 'ECANCELED', 'Operation canceled');
export const ENOKEY = Errno.define(126, 'ENOKEY', 'Required key not available');
export const EKEYEXPIRED = Errno.define(127, 'EKEYEXPIRED', 'Key has expired');
export const EKEYREVOKED = Errno.define(128, 'EKEYREVOKED', 'Key has been revoked');
export const EKEYREJECTED = Errno.define(129, 'EKEYREJECTED', 'Key was rejected by service');
export const EOWNERDEAD = Errno.define(130, 'EOWNERDEAD', 'Owner died');
export const ENOTRECOVERABLE = Errno.define(131, 'ENOTRECOVERABLE', 'State not recoverable');
export const ERFKILL = Errno.define(132, 'ERFKILL', 'Operation not possible due to RF-kill');
export const EHWPOISON = Errno.define(133, 'EHWPOISON', 'Memory page has hardware error');
