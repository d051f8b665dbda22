/**
 * Copies inside one open file. A read or a write through a thread of its own costs more than copying 64 KiB that are in
 * memory; where the medium has to be waited for, the reads of several copies are under way together.
 */

import { MiB } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { inBatches } from "../copies.ts";
import { QuickReader } from "../quick-reader.ts";
import type { FileCopy, Storage } from "../storage.ts";
import { stretchesOf } from "../zeros.ts";
import { writeDescriptor } from "./descriptor.ts";

/** Read before anything of it is written. */
const AT_ONCE = MiB;

/** An open file that can be read and written at once. */
type Copied = Storage & { readonly descriptor: number };

export class Copier {
  readonly #file: Copied;
  readonly #reader: QuickReader;
  #buffer: Buffer<ArrayBuffer> | undefined;

  constructor(file: Copied) {
    this.#file = file;
    this.#reader = new QuickReader(file);
  }

  /** As `WritableStorage.copy`. */
  async copy(copies: readonly FileCopy[]): Promise<RangeSet> {
    const zeros = new RangeSet();
    for (const batch of inBatches(copies, AT_ONCE)) await this.#copyBatch(batch, zeros);
    return zeros;
  }

  async #copyBatch(batch: readonly FileCopy[], zeros: RangeSet): Promise<void> {
    this.#buffer ??= Buffer.allocUnsafeSlow(AT_ONCE);
    const parts: Buffer[] = [];
    const reads: Promise<unknown>[] = [];
    let filled = 0;
    for (const { fromHostOffset, length } of batch) {
      const part = this.#buffer.subarray(filled, filled + length);
      filled += length;
      parts.push(part);
      const read = this.#read(fromHostOffset, part);
      // What fails is told below, once none is under way any more: they read into one buffer.
      read.catch(() => {});
      reads.push(read);
    }
    await Promise.allSettled(reads);
    await Promise.all(reads);
    for (const [at, { toHostOffset }] of batch.entries()) this.#write(toHostOffset, parts[at] as Buffer, zeros);
  }

  #write(hostOffset: number, part: Buffer, zeros: RangeSet): void {
    for (const { start, end, isZeros } of stretchesOf(part)) {
      if (isZeros) zeros.add(hostOffset + start, hostOffset + end);
      else writeDescriptor(this.#file.descriptor, hostOffset + start, part.subarray(start, end), this.#file.path);
    }
  }

  async #read(fromHostOffset: number, part: Buffer): Promise<void> {
    const isQuick = this.#reader.isDue;
    const read = isQuick ? this.#reader.read(fromHostOffset, part) : this.#file.read(fromHostOffset, part);
    if (!isQuick) this.#reader.pass();
    part.fill(0, await read);
  }
}
