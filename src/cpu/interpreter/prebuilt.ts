/**
 * The module of the common handlers (warm.ts) as the build generated it, so that a program's start neither emits nor
 * links it. tools/build.mjs replaces this file's value in the bundle by what `LIBRARY.prebuild()` returns; run from source
 * there is none and the library generates.
 */
export interface Prebuilt {
  /** The module, base64. */
  readonly module: string;
  /** Helpers it imports. */
  readonly imports: readonly string[];
  /** The variants of the handlers behind the special ones, as library.ts numbers them. */
  readonly keys: readonly number[];
  /** `Ending` of each handler behind the special ones. */
  readonly endings: readonly number[];
}

export const PREBUILT: Prebuilt | undefined = undefined as Prebuilt | undefined;
