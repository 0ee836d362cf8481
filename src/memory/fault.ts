/** What became of a page fault (AddressSpace.fault). Outcomes without details are shared constants: nothing is allocated. */
export type Fault =
  /** The access will succeed when it is tried again. */
  | { readonly kind: 'resolved' }
  /** The page's bytes come from a file: fetch `offset`…+4096 of `object`, call `supplyPage(page, bytes)`, try again. */
  | { readonly kind: 'file'; readonly object: number; readonly offset: number; readonly page: number }
  /** Nothing is mapped there: SIGSEGV, SEGV_MAPERR. */
  | { readonly kind: 'maperr' }
  /** The mapping does not allow the access: SIGSEGV, SEGV_ACCERR. */
  | { readonly kind: 'accerr' }
  /** Past the end of the object: SIGBUS, BUS_ADRERR. */
  | { readonly kind: 'bus' }
  /** The machine's memory limit is reached. */
  | { readonly kind: 'nomem' }
  /** A write to a page with translated code: invalidate the page in the engine, call `allowWrite(page)`, try again. */
  | { readonly kind: 'code'; readonly page: number };

export const RESOLVED: Fault = Object.freeze({ kind: 'resolved' });
export const MAPERR: Fault = Object.freeze({ kind: 'maperr' });
export const ACCERR: Fault = Object.freeze({ kind: 'accerr' });
export const BUS: Fault = Object.freeze({ kind: 'bus' });
export const NOMEM: Fault = Object.freeze({ kind: 'nomem' });
