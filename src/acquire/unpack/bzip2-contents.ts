/** bzip2 streams, one after another, block by block; a block is decoded once all of its bits must be there. */

import { ImageError } from "../../index.ts";
import type { Bytes } from "./byte-reader.ts";

/** No block is longer: it has at most 900,000 symbols of 20 bits, and its tables. */
const ENOUGH = 2 ** 22;
const BLOCK_UNIT = 100_000;

export async function* bzip2Contents(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const { default: decoder } = await import("unbzip2-stream/lib/bzip2.js");
  const chunks = bytes[Symbol.asyncIterator]();
  const bits = new BitReader();
  const block = new BlockBuffer();
  let work = new Int32Array();
  /** Null between streams. */
  let checksum: number | null = null;
  let isEnded = false;
  for (;;) {
    while (!isEnded && bits.byteLength < ENOUGH) {
      const { done, value } = await chunks.next();
      if (done) isEnded = true;
      else bits.add(value);
    }
    bits.gather();
    if (checksum !== null) checksum = decoder.decompress(bits.take, block.put, work, work.length, checksum);
    else if (bits.byteLength === 0) return;
    else {
      const workLength = decoder.header(bits.take) * BLOCK_UNIT;
      if (work.length !== workLength) work = new Int32Array(workLength);
      checksum = 0;
    }
    yield* block.contents();
  }
}

/** Bits from the highest of each byte on. */
class BitReader {
  #bytes: Uint8Array = new Uint8Array();
  #added: Uint8Array[] = [];
  #addedLength = 0;
  #next = 0;
  /** The last bits of `#bits` that weren't taken yet. */
  #bits = 0;
  #bitCount = 0;

  get byteLength(): number {
    return this.#bytes.length - this.#next + this.#addedLength;
  }

  add(bytes: Uint8Array): void {
    this.#added.push(bytes);
    this.#addedLength += bytes.length;
  }

  /** Puts what was added behind what is left. */
  gather(): void {
    if (this.#added.length === 0) return;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#next), ...this.#added]);
    [this.#next, this.#added, this.#addedLength] = [0, [], 0];
  }

  /** At most 32 bits; null goes on at the next whole byte. */
  readonly take = (count: number | null): number => {
    if (count === null) {
      this.#bitCount &= ~7;
      return 0;
    }
    if (count > 16) return (this.take(count - 16) << 16) | this.take(16);
    while (this.#bitCount < count) {
      if (this.#next >= this.#bytes.length) throw new ImageError("corrupt", "it is cut off");
      this.#bits = ((this.#bits << 8) | (this.#bytes[this.#next++] as number)) & 0xffffff;
      this.#bitCount += 8;
    }
    this.#bitCount -= count;
    return (this.#bits >>> this.#bitCount) & ((1 << count) - 1);
  };
}

/** One block's bytes; runs make up to 51 of each byte, so it grows as they come. */
class BlockBuffer {
  #bytes = new Uint8Array(BLOCK_UNIT);
  #length = 0;

  readonly put = (byte: number): void => {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  };

  /** Gives them up, too. */
  *contents(): Generator<Uint8Array> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    if (bytes.length > 0) yield bytes;
  }
}
