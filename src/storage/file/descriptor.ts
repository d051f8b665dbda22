/** Reading and writing at once through a process-wide descriptor, that worker threads share with the Storage that has it open. */

import { readSync, writeSync } from "node:fs";
import { hostError } from "../host-error.ts";

/**
 * Fills `into` from `hostOffset`, blocking, and returns how many bytes were there: fewer only at the end of file.
 * Whoever owns the descriptor keeps it open meanwhile. `path` is for messages.
 */
export function readDescriptor(descriptor: number, hostOffset: number, into: Uint8Array, path: string): number {
  let done = 0;
  try {
    while (done < into.length) {
      const count = readSync(descriptor, into, done, into.length - done, hostOffset + done);
      if (count === 0) break;
      done += count;
    }
  } catch (error) {
    throw hostError(error, "read", path, hostOffset + done);
  }
  return done;
}

/** Writes all of `bytes`, blocking. `path` is for messages. */
export function writeDescriptor(descriptor: number, hostOffset: number, bytes: Uint8Array, path: string): void {
  let done = 0;
  try {
    while (done < bytes.length) {
      const count = writeSync(descriptor, bytes, done, bytes.length - done, hostOffset + done);
      if (count === 0) throw new Error("no byte was taken");
      done += count;
    }
  } catch (error) {
    throw hostError(error, "write to", path, hostOffset + done);
  }
}
