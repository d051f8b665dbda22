/** `<image>.inplace-lock`: made exclusively by the one writing command that runs; a dead owner's is taken over. */

import { ImageError } from "../bytes/image-error.ts";
import { crypto } from "../storage/built-ins.ts";
import type { LockOwner, ProcessTable } from "../storage/process-table.ts";
import { readZeroFilled, type Volume } from "../storage/storage.ts";
import { journalNamesOf } from "./names.ts";

export class Lock {
  readonly #volume: Volume;
  readonly #path: string;
  readonly #imagePath: string;
  readonly #nonce: string;

  private constructor(volume: Volume, path: string, imagePath: string, nonce: string) {
    this.#volume = volume;
    this.#path = path;
    this.#imagePath = imagePath;
    this.#nonce = nonce;
  }

  /** Throws `in-use` while another command works on the image. */
  static async acquire(volume: Volume, imagePath: string, processes: ProcessTable): Promise<Lock> {
    const path = journalNamesOf(imagePath).lock;
    for (let attempt = 0; attempt < 3; attempt++) {
      const storage = await volume.createExclusively(path);
      if (storage) {
        const owner: LockOwner = { ...processes.self, nonce: crypto().randomUUID() };
        try {
          await storage.write(0, new TextEncoder().encode(JSON.stringify(owner)));
        } catch (error) {
          await volume.remove(path).catch(() => {});
          throw error;
        } finally {
          await storage.close();
        }
        // Another command may have taken the empty file for a dead owner's before the name was in it.
        const holder = await readOwner(volume, path);
        if (typeof holder === "object" && holder.nonce === owner.nonce)
          return new Lock(volume, path, imagePath, owner.nonce);
        throw heldBy(imagePath, path, "another command");
      }
      await takeOver(volume, path, imagePath, processes);
    }
    throw heldBy(imagePath, path, "another command");
  }

  /** Throws `in-use` where another command holds the lock now, as of two that took a dead owner's over at once. */
  async refuseLost(): Promise<void> {
    if (await this.#isHeld()) return;
    throw heldBy(this.#imagePath, this.#path, "another command");
  }

  /** Another command's lock is left alone. */
  async release(): Promise<void> {
    const isLost = await this.#isHeld().then(
      (isHeld) => !isHeld,
      () => false,
    );
    if (isLost) return;
    await this.#volume.remove(journalNamesOf(this.#imagePath).aside);
    await this.#volume.remove(this.#path);
  }

  async #isHeld(): Promise<boolean> {
    const holder = await readOwner(this.#volume, this.#path);
    return typeof holder === "object" && holder.nonce === this.#nonce;
  }
}

/**
 * Clears a dead owner's lock out of the way. Of several that try, the rename lets only one win; the winner looks at
 * what it got and puts a living owner's lock back.
 */
async function takeOver(volume: Volume, path: string, imagePath: string, processes: ProcessTable): Promise<void> {
  const owner = await readOwner(volume, path);
  if (owner === "gone") return;
  // An unreadable lock was cut off while it was made: its owner died before it could write anything else.
  if (owner !== "torn") {
    const alive = processes.isAlive(owner);
    const whose = `process ${owner.pid} on ${owner.hostName}`;
    if (alive === true) throw heldBy(imagePath, path, whose);
    if (alive === undefined)
      throw heldBy(imagePath, path, `${whose}, which can't be seen from here; if it is gone, remove the lock`);
  }
  const { aside } = journalNamesOf(imagePath);
  try {
    await volume.rename(path, aside);
  } catch {
    return;
  }
  const got = await readOwner(volume, aside);
  if (typeof got === "object" && processes.isAlive(got) !== false) await volume.rename(aside, path);
  else await volume.remove(aside);
}

async function readOwner(volume: Volume, path: string): Promise<LockOwner | "gone" | "torn"> {
  if (!(await volume.facts(path))) return "gone";
  try {
    const storage = await volume.openForReading(path);
    try {
      const bytes = await readZeroFilled(storage, 0, Math.min(await storage.size(), 4096));
      const owner = JSON.parse(new TextDecoder().decode(bytes)) as LockOwner | null;
      return typeof owner?.pid === "number" && typeof owner.nonce === "string" ? owner : "torn";
    } finally {
      await storage.close();
    }
  } catch (error) {
    if (error instanceof ImageError && !(await volume.facts(path))) return "gone";
    if (error instanceof SyntaxError) return "torn";
    throw error;
  }
}

function heldBy(imagePath: string, lockPath: string, owner: string): ImageError {
  return new ImageError("in-use", `Cannot work on ${imagePath}: ${lockPath} is held by ${owner}`, {
    path: imagePath,
    operation: "lock",
  });
}
