/** Bytes through one of Node's transforms, as bytes again; what fails on either side fails the reader. */

import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Bytes } from "./byte-reader.ts";

/** What a transform gives at once; its default of 16 KiB costs a third of the speed. */
export const OUTPUT_CHUNK = 2 ** 18;

export async function* through(bytes: Bytes, transform: Transform): AsyncGenerator<Uint8Array> {
  const feeding = pipeline(bytes, transform);
  // Whoever reads the transform is told; this only keeps the second telling from being an unhandled one.
  feeding.catch(() => {});
  yield* transform;
  await feeding;
}
