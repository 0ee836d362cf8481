#!/bin/sh
# The suites that run guest programs, on each engine in turn: conformance, reference programs, BusyBox.
set -eu
cd "$(dirname "$0")/.."
for engine in ${ENGINES:-jit interpreter}; do
  echo "engine: $engine"
  XINIM_ENGINE=$engine npx vitest run "$@" test/conformance/conformance.test.ts test/conformance/terminal.test.ts \
    test/reference-programs test/busybox test/library.test.ts
done
