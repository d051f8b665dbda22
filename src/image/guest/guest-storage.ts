/** The guest's disk as if it were a file: what others would take it for, were it one. */

import type { Storage } from "../../storage/storage.ts";
import { GuestReader } from "./reader.ts";
import type { GuestView } from "./view.ts";

/** Reads what the view shows; `path` is for messages. */
export function guestStorage(view: GuestView, path: string): Storage {
  const reader = new GuestReader(view);
  return {
    path,
    size: async () => view.virtualSize,
    async read(hostOffset, into) {
      const count = Math.max(0, Math.min(into.length, view.virtualSize - hostOffset));
      await reader.read(hostOffset, into.subarray(0, count));
      return count;
    },
    close: async () => {},
  };
}
