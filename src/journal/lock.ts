/**
 * `<image>.inplace-lock`: made exclusively by the one writing command that runs. A dead owner's is taken over, and
 * dead is only who is proven dead (docs/decisions/whose-lock-is-dead.md).
 */

import { SECTOR_SIZE } from "../bytes/align.ts";
import { ImageError } from "../bytes/image-error.ts";
import { imageNamed, say } from "../bytes/sentence.ts";
import { crypto } from "../storage/built-ins.ts";
import { readZeroFilled, type Volume, type WritableStorage } from "../storage/storage.ts";
import type { LockOwner, ProcessTable } from "../storage/users/process-table.ts";
import { journalNamesOf } from "./names.ts";

export class Lock {
  readonly #volume: Volume;
  readonly #path: string;
  readonly #imagePath: string;
  /** Open as long as the lock is held: no other file can be taken for it, since none gets its inode number. */
  readonly #storage: WritableStorage;

  private constructor(volume: Volume, path: string, imagePath: string, storage: WritableStorage) {
    this.#volume = volume;
    this.#path = path;
    this.#imagePath = imagePath;
    this.#storage = storage;
  }

  /** Throws `in-use` while another command works on the image. */
  static async acquire(volume: Volume, imagePath: string, processes: ProcessTable): Promise<Lock> {
    const path = journalNamesOf(imagePath).lock;
    let failure: unknown;
    for (let attempt = 0; attempt < 3; attempt++) {
      const storage = await volume.createExclusively(path);
      if (storage) {
        const { pid, ...self } = processes.self;
        const owner: LockOwner = { pid, ...self, nonce: crypto().randomUUID() };
        const lock = new Lock(volume, path, imagePath, storage);
        try {
          await storage.write(0, new TextEncoder().encode(JSON.stringify(owner)));
          // Another command may have taken the empty file for a dead owner's before the name was in it.
          if (await lock.#isHeld()) return lock;
        } catch (error) {
          await lock.release().catch(() => {});
          throw error;
        }
        await lock.#close();
        throw heldBy(imagePath, path, "another command");
      }
      failure = await takeOver(volume, path, imagePath, processes);
    }
    if (failure !== undefined) throw failure;
    throw heldBy(imagePath, path, "another command");
  }

  /** Throws `in-use` where `acquire` would, as far as it can be told without taking the lock. */
  static async refuseHeld(volume: Volume, imagePath: string, processes: ProcessTable): Promise<void> {
    await refuseLiving(volume, journalNamesOf(imagePath).lock, imagePath, processes);
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
    await this.#close();
    if (isLost) return;
    await this.#volume.remove(journalNamesOf(this.#imagePath).aside);
    await this.#volume.remove(this.#path);
  }

  /** What a full or lost disk says then is no matter: nothing in the file is needed, and the lock must go all the same. */
  async #close(): Promise<void> {
    await this.#storage.close().catch(() => {});
  }

  /** Whoever takes a lock over renames it and makes another: none is ever written over. */
  #isHeld(): Promise<boolean> {
    return this.#volume.isSameFile(this.#path, this.#storage);
  }
}

/**
 * Clears a dead owner's lock out of the way. Of several that try, the rename lets only one win; the winner looks at
 * what it got and puts back what is not proven dead. Returns why the lock could not be moved, where another command
 * was not the reason.
 */
async function takeOver(volume: Volume, path: string, imagePath: string, processes: ProcessTable): Promise<unknown> {
  if (!(await refuseLiving(volume, path, imagePath, processes))) return undefined;
  const { aside } = journalNamesOf(imagePath);
  try {
    await volume.rename(path, aside);
  } catch (error) {
    return (error as { cause?: { code?: unknown } }).cause?.code === "ENOENT" ? undefined : error;
  }
  const got = await readOwner(volume, aside);
  const isDead = got === "torn" || (typeof got === "object" && processes.isAlive(got, aside) === false);
  if (isDead) await volume.remove(aside);
  else if (got !== "gone") await volume.rename(aside, path);
  return undefined;
}

/** Throws `in-use` unless the lock's owner is proven dead; false where there is no lock. */
async function refuseLiving(
  volume: Volume,
  path: string,
  imagePath: string,
  processes: ProcessTable,
): Promise<boolean> {
  const owner = await readOwner(volume, path);
  if (owner === "gone") return false;
  if (owner === "strange") {
    const whose = "somebody who can't be told: it is no lock of this version";
    throw heldBy(imagePath, path, whose, "if no command works on the image, remove the lock and run this again");
  }
  // A torn lock was cut off while it was made: its owner died, or finds out, before it writes anything else.
  if (owner === "torn") return true;
  const alive = processes.isAlive(owner, path);
  const whose = `process ${owner.pid} on ${owner.hostName}`;
  if (alive === true) throw heldBy(imagePath, path, whose);
  if (alive === undefined) {
    const ifGone = "if that command is gone, as after a restart there, remove the lock and run this again";
    throw heldBy(imagePath, path, `${whose}, which can't be seen from here`, ifGone);
  }
  return true;
}

/** How every lock begins; what a cut leaves of one is its beginning, or zeros. */
const BEGINNING = '{"pid":';

/** `torn`: what a cut can leave of a lock that was being made. `strange`: anything else that is none of ours. */
async function readOwner(volume: Volume, path: string): Promise<LockOwner | "gone" | "torn" | "strange"> {
  if (!(await volume.facts(path))) return "gone";
  try {
    const storage = await volume.openForReading(path);
    try {
      return ownerIn(await readZeroFilled(storage, 0, Math.min(await storage.size(), MAX_LOCK_SIZE)));
    } finally {
      await storage.close();
    }
  } catch (error) {
    if (error instanceof ImageError && !(await volume.facts(path))) return "gone";
    throw error;
  }
}

/** Much more than an owner takes. */
const MAX_LOCK_SIZE = 4096;

function ownerIn(bytes: Uint8Array): LockOwner | "torn" | "strange" {
  if (bytes.subarray(0, SECTOR_SIZE).every((byte) => byte === 0)) return "torn";
  const text = new TextDecoder().decode(bytes);
  try {
    const owner: unknown = JSON.parse(text);
    return isOwner(owner) ? owner : "strange";
  } catch {
    const beginning = text.slice(0, BEGINNING.length).replace(/\0+$/, "");
    return BEGINNING.startsWith(beginning) ? "torn" : "strange";
  }
}

function isOwner(value: unknown): value is LockOwner {
  if (typeof value !== "object" || value === null) return false;
  const { pid, machineId = "", pidNamespace = "", timeNamespace = "", ...others } = value as Partial<LockOwner>;
  const texts = [
    machineId,
    pidNamespace,
    timeNamespace,
    others.hostName,
    others.bootId,
    others.startTime,
    others.nonce,
  ];
  return Number.isSafeInteger(pid) && (pid as number) > 0 && texts.every((text) => typeof text === "string");
}

function heldBy(imagePath: string, lockPath: string, owner: string, remedy?: string): ImageError {
  return new ImageError("in-use", say`Cannot work on ${imageNamed(imagePath)}`, {
    because: `${lockPath} is held by ${owner}`,
    remedy,
    path: imagePath,
    operation: "lock",
  });
}
