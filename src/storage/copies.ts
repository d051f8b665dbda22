/** Copies in batches of a size: what is longer in pieces, what is short together. */

import type { FileCopy } from "./storage.ts";

/** No batch is of more than `size` bytes. */
export function* inBatches(copies: Iterable<FileCopy>, size: number): Generator<FileCopy[]> {
  let batch: FileCopy[] = [];
  let room = size;
  for (const { fromHostOffset, toHostOffset, length } of copies) {
    for (let done = 0; done < length; ) {
      const now = Math.min(room, length - done);
      batch.push({ fromHostOffset: fromHostOffset + done, toHostOffset: toHostOffset + done, length: now });
      done += now;
      room -= now;
      if (room > 0) continue;
      yield batch;
      batch = [];
      room = size;
    }
  }
  if (batch.length > 0) yield batch;
}
