/**
 * Branch hints of WebAssembly modules (custom section metadata.code.branch_hint): V8 reads them by itself from 13.7 on, before
 * that behind a flag. With them the slow ways of translated code cost the fast ones no registers.
 */
import { setFlagsFromString } from 'node:v8';

const FIRST_WITH_FLAG = 9.2;
const FIRST_WITHOUT_FLAG = 13.7;

/** Asks for them; must come before the modules are compiled. */
export function useBranchHints(): void {
  const [major, minor] = process.versions.v8.split('.').map(Number);
  const compare = (version: number): number => major - Math.floor(version) || minor - Math.round((version % 1) * 10);
  if (compare(FIRST_WITH_FLAG) >= 0 && compare(FIRST_WITHOUT_FLAG) < 0)
    setFlagsFromString('--experimental-wasm-branch-hinting');
}
