#!/bin/sh
# Runs one program's script natively in a root folder, as the oracle: native.sh ROOT SCRIPT
# In namespaces of its own (mounts, processes, IPC), with /proc, a small /dev and an empty /tmp; output and status are the script's.
set -eu
root=$1 script=$2
exec env ROOT="$root" SCRIPT="$script" unshare --mount --pid --ipc --uts --fork --kill-child sh -eu -c '
  mount --make-rprivate /
  mount --bind "$ROOT" "$ROOT"
  mount -t proc proc "$ROOT/proc"
  mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
  for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$ROOT/dev/${node%:*}" c 1 "${node#*:}"; done
  mknod -m 666 "$ROOT/dev/tty" c 5 0
  mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$ROOT/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$ROOT/dev/shm"
  ln -s pts/ptmx "$ROOT/dev/ptmx"
  ln -s /proc/self/fd "$ROOT/dev/fd"
  ln -s fd/0 "$ROOT/dev/stdin"; ln -s fd/1 "$ROOT/dev/stdout"; ln -s fd/2 "$ROOT/dev/stderr"
  mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
  mkdir "$ROOT/tmp/work"
  cp "$SCRIPT" "$ROOT/tmp/script"
  hostname xinim
  exec env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 TZ=UTC0 USER=root LOGNAME=root SHELL=/bin/bash \
    chroot "$ROOT" /bin/sh -c "cd /tmp/work && exec /tmp/script"' < /dev/null
