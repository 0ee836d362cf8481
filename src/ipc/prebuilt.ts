/**
 * WebAssembly modules of this folder as the build generated them, so that a program's start does not. The build replaces
 * this file's value in the bundle (tools/bundle.mjs); run from source there is none and they are generated.
 */
export interface Prebuilt {
  /** The sealing kernel (seal/kernel-wasm.ts) for an arena of `pages`, base64. */
  readonly kernel: string;
  readonly pages: number;
}

export const PREBUILT: Prebuilt | undefined = undefined as Prebuilt | undefined;
