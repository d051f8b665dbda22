/** Bytes through one of Node's transforms, as bytes again; what fails on either side fails the reader. */

import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Bytes } from "./byte-reader.ts";

/** What a transform gives at once; its default of 16 KiB costs a third of the speed. */
export const OUTPUT_CHUNK = 2 ** 18;

export async function* transformed(bytes: Bytes, transform: Transform): AsyncGenerator<Uint8Array> {
  // What fails destroys the transform and so reaches its reader. Told a second time here it is of no use, nor is the
  // complaint of a feeder whose transform ended before its input: gzip ends before padding.
  pipeline(bytes, transform).catch(() => {});
  yield* transform;
}
