/** A file in memory that changes under whoever reads it. */

import type { Storage } from "../../src/storage/storage.ts";

/** The file as it is now, for a model that reads what has become of it. */
export class LiveBytes implements Storage {
  readonly path = "memory";
  bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  async size(): Promise<number> {
    return this.bytes.length;
  }

  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const count = Math.max(0, Math.min(into.length, this.bytes.length - hostOffset));
    into.set(this.bytes.subarray(hostOffset, hostOffset + count));
    return count;
  }

  async close(): Promise<void> {}
}
