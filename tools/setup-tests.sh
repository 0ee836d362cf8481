#!/bin/sh
# Installs what some tests and benchmarks need from Debian's packages: compilers for static programs, qemu-x86_64 to compare with.
# Needs root on a Debian system; elsewhere those tests are reported as skipped.
set -e
command -v apt-get >/dev/null || { echo 'setup-tests: no apt-get here; tests that need its packages will be skipped' >&2; exit 0; }
missing=''
for pair in gcc:gcc musl-gcc:musl-tools diet:dietlibc-dev qemu-x86_64:qemu-user; do
  command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] && exit 0
[ "$(id -u)" = 0 ] || { echo "setup-tests: run as root to install:$missing" >&2; exit 0; }
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing
