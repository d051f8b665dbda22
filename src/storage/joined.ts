/**
 * Several files as one, for an image whose disk lies in all of them: an address tells file and place.
 *
 *   | file 0 |..| file 1 |......| file 2 |..|        each begins at a MiB, behind a gap
 */

import { alignUp, MiB } from "../bytes/align.ts";
import type { JoinedFiles, Storage } from "./storage.ts";
import { type Stretch, StretchedStorage } from "./stretches.ts";

export class JoinedStorage extends StretchedStorage {
  readonly joined: JoinedFiles;
  readonly #files: readonly Storage[];

  private constructor(path: string, stretches: readonly Stretch[]) {
    super(path, stretches);
    this.#files = stretches.map(({ storage }) => storage);
    this.joined = {
      files: this.#files,
      placeOf: (hostOffset) => {
        const { storage, hostOffset: there } = this.stretchAt(hostOffset);
        return { file: storage, hostOffset: there };
      },
    };
  }

  /** The files are its own from here on. No two of them may be the same. */
  static async of(path: string, files: readonly Storage[]): Promise<JoinedStorage> {
    const stretches: Stretch[] = [];
    for (const storage of files)
      stretches.push({ storage, hostOffset: 0, length: alignUp((await storage.size()) + 1, MiB) });
    return new JoinedStorage(path, stretches);
  }

  /** Where the file's first byte lies in the whole. */
  baseOf(file: Storage): number {
    return this.startOf(this.#files.indexOf(file)) ?? 0;
  }

  override async close(): Promise<void> {
    for (const outcome of await Promise.allSettled(this.#files.map((file) => file.close())))
      if (outcome.status === "rejected") throw outcome.reason;
  }
}
