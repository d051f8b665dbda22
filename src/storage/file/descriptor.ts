/** Reading through a process-wide descriptor, for worker threads that share the file its Storage has open. */

import { readSync } from "node:fs";
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
