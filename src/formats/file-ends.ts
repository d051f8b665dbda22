/** The first and the last bytes of a file, read once: which marks it bears. */

import type { Mark } from "../image/mark.ts";
import type { Storage } from "../storage/storage.ts";

/** Covers every mark of a format of ours, and every one that may speak against it; what lies further is often guest data. */
const NEAR_SIZE = 4096;
/** Covers every mark that counts from the start: ISO 9660's is the last. */
const FAR_SIZE = 0x8001 + 5;
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

  /** Enough to tell a format of ours. */
  static of(storage: Storage): Promise<FileEnds> {
    return FileEnds.#read(storage, NEAR_SIZE);
  }

  /** Enough to tell whatever we know, where it is no format of ours. */
  static further(storage: Storage): Promise<FileEnds> {
    return FileEnds.#read(storage, FAR_SIZE);
  }

  static async #read(storage: Storage, headSize: number): Promise<FileEnds> {
    const head = await latin1(storage, 0, headSize);
    const fileSize = await storage.size();
    return new FileEnds(head, fileSize < TAIL_SIZE ? "" : await latin1(storage, fileSize - TAIL_SIZE, TAIL_SIZE));
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
