/** What is known of a file while others punch holes into it: a few places in the ranges, and bytes beside them. */

import { fstatSync } from "node:fs";
import { KiB } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { type Range, RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import { areZeros } from "../zeros.ts";
import { readDescriptor } from "./descriptor.ts";
import { spread } from "./spread.ts";

const MAX_SAMPLES = 32;
const SAMPLE_SIZE = 4 * KiB;

/** Blocking, since each look is of a few pages. */
interface OpenFile {
  readonly descriptor: number;
  readonly path: string;
  readonly size: number;
}

/** Some of the ranges, spread over all of them, and what the bytes beside them were. */
export class Samples {
  readonly #file: OpenFile;
  readonly #inside: readonly Range[];
  readonly #beside: readonly { readonly hostOffset: number; readonly bytes: Uint8Array }[];

  constructor(file: OpenFile, wanted: RangeSet) {
    this.#file = file;
    this.#inside = spread(() => wanted.each(), MAX_SAMPLES);
    const beside = new RangeSet();
    beside.add(0, SAMPLE_SIZE);
    beside.add(file.size - SAMPLE_SIZE, file.size);
    for (const { start, end } of this.#inside) {
      beside.add(start - SAMPLE_SIZE, start);
      beside.add(end, end + SAMPLE_SIZE);
    }
    this.#beside = [...beside.clippedTo(0, file.size).each()]
      .flatMap(({ start, end }) => [...wanted.gapsIn(start, end)])
      .map(({ start, end }) => ({ hostOffset: start, bytes: this.#read(start, end - start) }));
  }

  /** Throws where the file's length or a byte beside the ranges is not what it was. */
  refuseHarm(): void {
    const { descriptor, path, size } = this.#file;
    const found = Number(fstatSync(descriptor, { bigint: true }).size);
    const harmed = this.#beside.find(({ hostOffset, bytes }) => !this.#read(hostOffset, bytes.length).equals(bytes));
    if (found === size && harmed === undefined) return;
    throw new ImageError("io", say`Cannot go on with ${imageNamed(path)}`, {
      because:
        harmed === undefined
          ? say`giving space back changed its length from ${size} to ${found} bytes`
          : say`giving space back changed bytes beside it, at host offset ${placeAt(harmed.hostOffset)}`,
      path,
      hostOffset: harmed?.hostOffset,
      operation: "punch holes into",
    });
  }

  /** False where any sampled range that is not `left` does not read as zeros: then none of the tool's answers is true. */
  areGone(left: RangeSet): boolean {
    return this.#inside.every(({ start, end }) => {
      if (left.intersects(start, end)) return true;
      const length = Math.min(SAMPLE_SIZE, end - start);
      return [start, end - length].every((at) => areZeros(this.#read(at, length)));
    });
  }

  #read(hostOffset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readDescriptor(this.#file.descriptor, hostOffset, bytes, this.#file.path);
    return bytes;
  }
}
