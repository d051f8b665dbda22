/** bzip2 streams, one after another, block by block; a block is decoded once all of its bits are there. */

import { ImageError } from "../index.ts";
import type { Bytes } from "./byte-reader.ts";

/** Most blocks are smaller; one that isn't is tried again with twice as much. */
const ENOUGH = 2 ** 20;
/** 900,000 symbols of at most 20 bits. */
const MOST = 2 ** 22;
const BLOCK_UNIT = 100_000;

/** Thrown through the decoder where the bits that are there don't suffice. */
class OutOfBits extends Error {}

export async function* bzip2Contents(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const { default: decoder } = await import("unbzip2-stream/lib/bzip2.js");
  const chunks = bytes[Symbol.asyncIterator]();
  const bits = new BitReader();
  const block = new BlockBuffer();
  let work = new Int32Array();
  /** Null between streams. */
  let checksum: number | null = null;
  let isEnded = false;
  for (let wanted = ENOUGH; ; ) {
    while (!isEnded && bits.byteLength < wanted) {
      const { done, value } = await chunks.next();
      if (done) isEnded = true;
      else bits.add(value);
    }
    const goBack = bits.mark();
    try {
      if (checksum !== null) checksum = decoder.decompress(bits.take, block.put, work, work.length, checksum);
      else if (isEnded && bits.byteLength === 0) return;
      else {
        work = new Int32Array(decoder.header(bits.take) * BLOCK_UNIT);
        checksum = 0;
      }
      wanted = ENOUGH;
      yield* block.contents();
    } catch (error) {
      if (!(error instanceof OutOfBits)) throw error;
      if (isEnded || wanted >= MOST) throw new ImageError("corrupt", "it is cut off");
      goBack();
      block.clear();
      wanted *= 2;
    }
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

  /** Gives up what was taken; returns what goes back to here. */
  mark(): () => void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#next), ...this.#added]);
    [this.#next, this.#added, this.#addedLength] = [0, [], 0];
    const [bits, bitCount] = [this.#bits, this.#bitCount];
    return () => {
      [this.#next, this.#bits, this.#bitCount] = [0, bits, bitCount];
    };
  }

  /** At most 32 bits; null goes on at the next whole byte. */
  readonly take = (count: number | null): number => {
    if (count === null) {
      this.#bitCount &= ~7;
      return 0;
    }
    if (count > 16) return (this.take(count - 16) << 16) | this.take(16);
    while (this.#bitCount < count) {
      if (this.#next >= this.#bytes.length) throw new OutOfBits();
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

  clear(): void {
    this.#length = 0;
  }

  *contents(): Generator<Uint8Array> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.clear();
    if (bytes.length > 0) yield bytes;
  }
}
