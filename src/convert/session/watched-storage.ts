/** An open file whose reads tell of progress and can be stopped: for commands that only read. */

import type { Storage } from "../../storage/storage.ts";
import type { CheckOptions } from "../options/options.ts";
import { stopIfAsked } from "./stop.ts";

/** Reads as `storage` does; throws `interrupted` at the next read once the signal is given. */
export function watchedStorage(storage: Storage, options: Pick<CheckOptions, "onProgress" | "signal">): Storage {
  const { onProgress, signal } = options;
  if (onProgress === undefined && signal === undefined) return storage;
  let done = 0;
  const watch = (length: number) => {
    stopIfAsked(signal, storage.path, "while checking");
    done += length;
    onProgress?.({ stage: "check", done, total: 0 });
  };
  return {
    path: storage.path,
    ...(storage.descriptor === undefined ? {} : { descriptor: storage.descriptor }),
    size: () => storage.size(),
    close: () => storage.close(),
    ...(storage.dataRanges === undefined ? {} : { dataRanges: storage.dataRanges.bind(storage) }),
    ...(storage.readAtOnce === undefined
      ? {}
      : {
          readAtOnce(hostOffset: number, into: Uint8Array) {
            watch(into.length);
            return storage.readAtOnce?.(hostOffset, into) ?? 0;
          },
        }),
    async read(hostOffset, into) {
      watch(into.length);
      return storage.read(hostOffset, into);
    },
  };
}
