/** One writing command at work on one image: its lock, its only descriptor, its watch for other writers. */

import { ImageError } from "../bytes/image-error.ts";
import { Lock } from "../journal/lock.ts";
import { MeteredVolume } from "../storage/metered.ts";
import type { WritableStorage } from "../storage/storage.ts";
import type { Host } from "./host.ts";

export type Verb = "convert" | "repair" | "work on";

export class Session {
  readonly path: string;
  readonly volume: MeteredVolume;
  readonly storage: WritableStorage;
  readonly host: Host;
  /** What could not be looked at on this machine. */
  readonly notes = new Set<string>();
  /** What the command does, for messages. */
  readonly verb: Verb;
  readonly #lock: Lock;
  #fingerprint = "";

  private constructor(
    path: string,
    volume: MeteredVolume,
    storage: WritableStorage,
    host: Host,
    lock: Lock,
    verb: Verb,
  ) {
    this.path = path;
    this.volume = volume;
    this.storage = storage;
    this.host = host;
    this.verb = verb;
    this.#lock = lock;
  }

  /** Takes the lock, opens the image and looks for others. Throws `in-use`, `unsupported` or `io`; nothing is left behind. */
  static async open(path: string, host: Host, verb: Verb = "convert"): Promise<Session> {
    const volume = new MeteredVolume(host.volume);
    const facts = await volume.facts(path);
    if (!facts)
      throw new ImageError("io", `Cannot open ${path === "" ? '""' : path}: there is no such file`, {
        path,
        operation: "open",
      });
    const lock = await Lock.acquire(volume, path, host.processes);
    let storage: WritableStorage | undefined;
    try {
      storage = await volume.openForWriting(path);
      const session = new Session(path, volume, storage, host, lock, verb);
      await session.refuseOtherUsers();
      await session.noteState();
      return session;
    } catch (error) {
      await storage?.close().catch(() => {});
      await lock.release().catch(() => {});
      throw error;
    }
  }

  /** Remembers the file as we leave it, so that another's write shows. */
  async noteState(): Promise<void> {
    this.#fingerprint = await this.storage.fingerprint();
  }

  /** Throws `in-use` or `changed-underneath` when someone else has the image open or wrote to it since `noteState`. */
  async refuseInterference(): Promise<void> {
    await this.refuseOtherUsers();
    await this.refuseChange();
  }

  /** The cheap half of it: nobody wrote, took the image's name or our lock. */
  async refuseChange(): Promise<void> {
    await this.#lock.refuseLost();
    if (!(await this.volume.isSameFile(this.path, this.storage))) {
      throw this.#changed("another file has taken its name");
    }
    if ((await this.storage.fingerprint()) !== this.#fingerprint)
      throw this.#changed("it was written to by another program");
  }

  async refuseOtherUsers(): Promise<void> {
    const { found, blind } = await this.volume.otherUsers(this.storage);
    for (const note of blind) this.notes.add(note);
    if (found.length === 0) return;
    throw new ImageError("in-use", `Cannot ${this.verb} ${this.path}: ${found.join("; ")}; close it there first`, {
      path: this.path,
      operation: "lock",
      reasons: found,
    });
  }

  /** Never throws: what was done is done, and a lock that can't be removed is a dead owner's to the next command. */
  async close(): Promise<void> {
    await this.storage.close().catch(() => {});
    await this.#lock.release().catch(() => {});
  }

  #changed(what: string): ImageError {
    return new ImageError("changed-underneath", `Cannot go on with ${this.path}: ${what} while we worked on it`, {
      path: this.path,
      operation: "compare",
    });
  }
}

/** A safe point: nothing is half done here. `doing` goes on with the path, e.g. `while settling`. */
export function stopIfAsked(signal: AbortSignal | undefined, path: string, doing: string): void {
  if (!signal?.aborted) return;
  throw new ImageError("interrupted", `Stopped ${doing} ${path}, as asked`, { path, operation: "interrupt" });
}
