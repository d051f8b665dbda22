/** Reads a stream of chunks by counts: what framings (zstd, tar) and the first bytes of a file are read with. */

import { ImageError } from "../../index.ts";

export type Bytes = AsyncIterable<Uint8Array>;

export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #isEnded = false;

  constructor(bytes: Bytes) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** Up to `count` bytes, fewer only at the end, that will be read again. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#chunk.length < count && (await this.#refill()));
    return this.#chunk.subarray(0, count);
  }

  /** Exactly `count` bytes; throws ImageError `corrupt` where the stream ends before. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    if (bytes.length < count) throw cutOff();
    this.#chunk = this.#chunk.subarray(count);
    return bytes;
  }

  /** The next bytes as they come, at most `limit`; undefined at the end. */
  async chunk(limit = Number.MAX_SAFE_INTEGER): Promise<Uint8Array | undefined> {
    while (this.#chunk.length === 0) if (!(await this.#refill())) return undefined;
    const bytes = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(bytes.length);
    return bytes;
  }

  /** The next `length` bytes, or all that are left; throws ImageError `corrupt` where the stream ends before. */
  async *bytes(length = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      const bytes = await this.chunk(left);
      if (bytes === undefined) {
        if (length === Number.POSITIVE_INFINITY) return;
        throw cutOff();
      }
      left -= bytes.length;
      yield bytes;
    }
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.bytes(length));
  }

  async #refill(): Promise<boolean> {
    if (this.#isEnded) return false;
    const { done, value } = await this.#chunks.next();
    if (done) {
      this.#isEnded = true;
      return false;
    }
    this.#chunk = this.#chunk.length === 0 ? value : Buffer.concat([this.#chunk, value]);
    return true;
  }
}

function cutOff(): ImageError {
  return new ImageError("corrupt", "it is cut off");
}
