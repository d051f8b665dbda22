/** Many small reads in order: at once as long as they come from memory, else some at a time. */

import { ImageError } from "../../../bytes/image-error.ts";
import { placeAt, say } from "../../../bytes/sentence.ts";
import { QuickReader } from "../../../storage/quick-reader.ts";
import type { Storage } from "../../../storage/storage.ts";

const READS_UNDER_WAY = 16;

export interface Request {
  readonly hostOffset: number;
  readonly length: number;
  /** What it is called where the file ends before it does; absent: what is missing are zeros. */
  readonly structure?: string;
}

/** `bytes` are the caller's until the next are asked for. */
export async function* readInOrder<Wanted extends Request>(
  storage: Storage,
  requests: Iterable<Wanted>,
): AsyncGenerator<{ readonly request: Wanted; readonly bytes: Uint8Array }> {
  const quick = new QuickReader(storage);
  const buffers: Uint8Array[] = [];
  const bytesFor = (slot: number, length: number): Uint8Array => {
    let buffer = buffers[slot];
    if (buffer === undefined || buffer.length < length) {
      buffer = new Uint8Array(length);
      buffers[slot] = buffer;
    }
    return buffer.subarray(0, length);
  };
  const finish = (request: Wanted, bytes: Uint8Array, count: number) => {
    if (count < bytes.length && request.structure !== undefined) throw cutOff(storage, request);
    bytes.fill(0, count);
    return { request, bytes };
  };
  const waiting = requests[Symbol.iterator]();
  for (;;) {
    const batch: Wanted[] = [];
    while (batch.length < (quick.isDue ? 1 : READS_UNDER_WAY)) {
      const next = waiting.next();
      if (next.done) break;
      batch.push(next.value);
    }
    const [first] = batch;
    if (first === undefined) return;
    if (batch.length === 1 && quick.isDue) {
      const bytes = bytesFor(0, first.length);
      yield finish(first, bytes, await quick.read(first.hostOffset, bytes));
      continue;
    }
    const reads = batch.map(async (request, slot) => {
      quick.pass();
      const bytes = bytesFor(slot, request.length);
      return finish(request, bytes, await storage.read(request.hostOffset, bytes));
    });
    for (const read of await Promise.allSettled(reads)) {
      if (read.status === "rejected") throw read.reason;
      yield read.value;
    }
  }
}

function cutOff({ path }: Storage, { hostOffset, length, structure }: Request): ImageError {
  return new ImageError("out-of-bounds", `Cannot read ${structure}`, {
    because: say`${length} bytes at host offset ${placeAt(hostOffset)} end outside the file`,
    path,
    format: "vmdk",
    structure,
    hostOffset,
    operation: "read",
  });
}
