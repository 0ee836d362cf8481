/**
 * What was decoded, kept by content: for each page of guest code, its bytes and the records made of them. Engines of this
 * realm that find the same bytes at the same address take the records over instead of decoding again: a program that is
 * run a second time, and the child of a fork, decode next to nothing.
 *
 * Entry points: `CODE_PAGES.find`, `CodePage.append`.
 * Invariants: records are as decoding writes them: single handlers, no links. Only runs that lie within the page are
 * here, for what the next page holds is not known. A page's records only ever grow, so a reader remembers how far it is.
 */
const PAGE_WORDS = 1024;
/** Contents kept for one address: programs that are loaded at the same place. */
const MAX_VERSIONS = 8;
/** Bytes of records and contents after which all is forgotten; engines keep what they hold. */
const LIMIT = 96 << 20;

export class CodePage {
  readonly #content: Int32Array;
  /** Records, in whole runs; the first `length` words count. */
  records = new Int32Array(0);
  length = 0;
  /** The handlers that the records name, each once. */
  readonly handlers: number[] = [];
  readonly #seen = new Set<number>();

  constructor(content: Int32Array) {
    this.#content = content.slice();
  }

  holds(content: Int32Array): boolean {
    const own = this.#content;
    for (let i = 0; i < PAGE_WORDS; i += 4) {
      const first = (own[i] ^ content[i]) | (own[i + 1] ^ content[i + 1]);
      if ((first | (own[i + 2] ^ content[i + 2]) | (own[i + 3] ^ content[i + 3])) !== 0) return false;
    }
    return true;
  }

  /** Adds a run that was just decoded; `words` a record, the first word of which is the handler. */
  append(run: Int32Array, words: number): void {
    if (this.length + run.length > this.records.length) {
      const larger = new Int32Array(Math.max(this.records.length * 2, this.length + run.length, 32 * words));
      larger.set(this.records.subarray(0, this.length));
      this.records = larger;
    }
    this.records.set(run, this.length);
    this.length += run.length;
    for (let at = 0; at < run.length; at += words) {
      const handler = run[at];
      if (this.#seen.has(handler)) continue;
      this.#seen.add(handler);
      this.handlers.push(handler);
    }
    CODE_PAGES.grown(run.byteLength);
  }
}

class CodePages {
  readonly #pages = new Map<number, CodePage[]>();
  #bytes = 0;

  /** The page of this number (address / 4096) with this content, made if it is new. */
  find(number: number, content: Int32Array): CodePage {
    let versions = this.#pages.get(number);
    if (versions === undefined) this.#pages.set(number, (versions = []));
    for (let i = 0; i < versions.length; i++) {
      const page = versions[i];
      if (!page.holds(content)) continue;
      if (i > 0) {
        versions.splice(i, 1);
        versions.unshift(page);
      }
      return page;
    }
    const page = new CodePage(content);
    versions.unshift(page);
    if (versions.length > MAX_VERSIONS) versions.pop();
    this.grown(content.byteLength);
    return page;
  }

  grown(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= LIMIT) return;
    this.#pages.clear();
    this.#bytes = 0;
  }
}

/** All decoded code of this realm. */
export const CODE_PAGES = new CodePages();
