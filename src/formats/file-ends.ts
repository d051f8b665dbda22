/** The first and the last bytes of a file, read once: which marks it bears. */

import type { Mark } from "../image/mark.ts";
import type { Storage } from "../storage/storage.ts";

/** Covers every mark that counts from the end. */
const TAIL_SIZE = 512;

/** A mark that may be written in capitals or not, with space before it. */
export type TextMark = Mark & { readonly isText?: true };

export class FileEnds {
  readonly #head: string;
  /** As long as TAIL_SIZE, or empty for a shorter file. */
  readonly #tail: string;

  private constructor(head: string, tail: string) {
    this.#head = head;
    this.#tail = tail;
  }

  /** `headSize`: how many first bytes are read; a mark that goes on behind them is not seen. */
  static async of(storage: Storage, headSize: number): Promise<FileEnds> {
    const head = await latin1(storage, 0, headSize);
    const fileSize = await storage.size();
    return new FileEnds(head, fileSize < TAIL_SIZE ? "" : await latin1(storage, fileSize - TAIL_SIZE, TAIL_SIZE));
  }

  /** Of a whole small file. */
  static in(bytes: Uint8Array): FileEnds {
    const text = Buffer.from(bytes).toString("latin1");
    return new FileEnds(text, text.length < TAIL_SIZE ? "" : text.slice(-TAIL_SIZE));
  }

  bears({ hostOffset, bytes, isText }: TextMark): boolean {
    if (hostOffset < 0) return this.#tail.startsWith(bytes, TAIL_SIZE + hostOffset);
    if (!isText) return this.#head.startsWith(bytes, hostOffset);
    // A byte order mark, then space.
    const start = this.#head.slice(0, 1024).replace(/^(?:\xef\xbb\xbf)?\s*/, "");
    return start.slice(0, bytes.length).toLowerCase() === bytes;
  }
}

async function latin1(storage: Storage, hostOffset: number, length: number): Promise<string> {
  const bytes = Buffer.alloc(length);
  return bytes.toString("latin1", 0, await storage.read(hostOffset, bytes));
}
