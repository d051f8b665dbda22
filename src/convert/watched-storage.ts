/** An open file whose reads tell of progress and can be stopped: for commands that only read. */

import type { Storage } from "../storage/storage.ts";
import type { CheckOptions } from "./report.ts";
import { stopIfAsked } from "./session.ts";

/** Reads as `storage` does; throws `interrupted` at the next read once the signal is given. */
export function watchedStorage(storage: Storage, options: Pick<CheckOptions, "onProgress" | "signal">): Storage {
  const { onProgress, signal } = options;
  if (onProgress === undefined && signal === undefined) return storage;
  let done = 0;
  return {
    path: storage.path,
    ...(storage.descriptor === undefined ? {} : { descriptor: storage.descriptor }),
    size: () => storage.size(),
    close: () => storage.close(),
    async read(hostOffset, into) {
      stopIfAsked(signal, storage.path);
      done += into.length;
      onProgress?.({ stage: "check", done, total: 0 });
      return storage.read(hostOffset, into);
    },
  };
}
