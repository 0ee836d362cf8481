/**
 * What the scripts of scripts/ showed when they were last run beside the native ones, for docs/compatibility.md. Whoever runs
 * `npm run test:programs` and sees something else changes it here.
 */
export const RESULTS: Readonly<Record<string, readonly [programs: string, result: string]>> = {
  archives: ['tar, gzip, bzip2, xz', 'equal'],
  bash: ['bash: arrays, traps, coprocesses, process substitution', 'equal'],
  'coreutils-files': ['coreutils on files', 'equal'],
  'coreutils-text': ['coreutils on text', 'equal'],
  dash: ['dash', 'equal'],
  findutils: ['find, xargs', 'equal'],
  gcc: ['gcc, g++, as, ld, objdump and what they make', 'equal as far as it was run: 40 of 45 lines, all of C'],
  git: ['git: commit, merge, rebase, gc, clone, bundle, push', 'equal'],
  ldd: ['ldd, ld.so, getconf, getent, locale, iconv', 'equal but for what has since been mended: not run again'],
  lua: ['lua5.4, luajit with its JIT and FFI', 'equal'],
  'make-perl': ['make, perl', 'equal'],
  mksh: ['mksh', 'equal'],
  python: ['python3: unittest, threading, subprocess, multiprocessing, sqlite3, ctypes, asyncio', 'equal'],
  sqlite: ['sqlite3', 'equal'],
  tcc: ['tcc, also tcc -run', 'equal'],
  'terminal-programs': ['vim, nano, less, top, tmux, bash with job control: screens', 'equal'],
  'text-tools': ['grep, sed, mawk, gawk, diff, patch, bc', 'equal'],
};
