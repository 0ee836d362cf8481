/** The Debian packages of the root in which scripts/ runs. What they depend on comes with them. */
export const PACKAGES: readonly string[] = [
  ...['bash', 'dash', 'mksh', 'coreutils', 'findutils', 'grep', 'sed', 'mawk', 'gawk', 'diffutils', 'patch', 'bc'],
  ...['tar', 'gzip', 'xz-utils', 'bzip2', 'make', 'perl', 'python3', 'lua5.4', 'luajit', 'sqlite3', 'git'],
  ...['vim', 'nano', 'tmux', 'less', 'procps', 'tcc', 'gcc', 'g++', 'file', 'libc-bin', 'util-linux', 'hostname'],
  ...['base-files', 'base-passwd', 'login', 'passwd', 'debianutils', 'ncurses-base', 'ncurses-bin'],
];
