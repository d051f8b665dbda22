/** One writing command at work on one image: its lock, its only descriptor, its watch for other writers. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { isAsTextSays, loadFormats } from "../../formats/registry.ts";
import { Lock } from "../../journal/lock.ts";
import { besidePath, refuseLongNames } from "../../journal/names.ts";
import { MeteredVolume } from "../../storage/metered.ts";
import type { WritableStorage } from "../../storage/storage.ts";
import { GuardedStorage } from "./guarded-storage.ts";
import type { Host } from "./host.ts";
import { isTextOf, type NamedImage, readText, refuseOwnName } from "./named-image.ts";
import type { Verb } from "./surroundings.ts";
import { obstaclesTo, refuseObstacles, refuseUsers } from "./surroundings.ts";

export class Session {
  readonly path: string;
  readonly volume: MeteredVolume;
  /** Every write to the image goes through it: it notices another program's. */
  readonly storage: GuardedStorage;
  readonly host: Host;
  /** What could not be looked at on this machine. */
  readonly notes = new Set<string>();
  /** What the command does, for messages. */
  readonly verb: Verb;
  readonly #lock: Lock;
  readonly #opened: WritableStorage;
  #sidecarName: string | undefined;

  private constructor(
    path: string,
    volume: MeteredVolume,
    storage: { readonly opened: WritableStorage; readonly guarded: GuardedStorage },
    host: Host,
    lock: Lock,
    verb: Verb,
  ) {
    this.path = path;
    this.volume = volume;
    this.storage = storage.guarded;
    this.#opened = storage.opened;
    this.host = host;
    this.verb = verb;
    this.#lock = lock;
  }

  /** Takes the lock, opens the image and looks for others. Throws `in-use`, `unsupported` or `io`; nothing is left behind. */
  static async open(named: NamedImage, host: Host, verb: Verb = "convert", journal?: string): Promise<Session> {
    const { path, sidecar } = named;
    refuseOwnName(path, sidecar);
    // What was removed or replaced meanwhile could not be loaded once something has been written.
    await loadFormats();
    const volume = new MeteredVolume(host.volume);
    const facts = await volume.facts(path);
    // One that can't be there for its length is told so.
    if (!facts) refuseLongNames(path);
    if (!facts)
      throw new ImageError("io", say`Cannot open ${imageNamed(path)}`, {
        because: "there is no such file",
        isMissing: true,
        path,
        operation: "open",
      });
    refuseObstacles(path, await obstaclesTo(host, path, journal));
    const lock = await Lock.acquire(volume, path, host.processes);
    let storage: WritableStorage | undefined;
    try {
      storage = await volume.openForWriting(path);
      const guarded = await GuardedStorage.over(storage);
      const session = new Session(path, volume, { opened: storage, guarded }, host, lock, verb);
      guarded.lookBy(() => session.#refuseLost());
      if (sidecar !== undefined) session.takeSidecar(sidecar);
      await session.refuseOtherUsers();
      return session;
    } catch (error) {
      await storage?.close().catch(() => {});
      await lock.release().catch(() => {});
      throw error;
    }
  }

  /** Throws `in-use` or `changed-underneath` when someone else has the image open or wrote to it since we opened it. */
  async refuseInterference(): Promise<void> {
    await this.refuseOtherUsers();
    await this.refuseChange();
  }

  /** Throws `in-use` where somebody holds a lock on the image, as QEMU does as long as it has it open. */
  async refuseLocks(): Promise<void> {
    await refuseUsers(this, this.#opened, this.notes, true);
  }

  /** The cheap half of it: nobody wrote, took the image's name or our lock. */
  async refuseChange(): Promise<void> {
    await this.#refuseLost();
    await this.storage.refuseChange();
  }

  /** The plain name of the text beside the image that says, or will say, what it is. */
  get sidecarName(): string | undefined {
    return this.#sidecarName;
  }

  /** From now on a text of that name belongs to the image, whether it is there or not. */
  takeSidecar(name: string): void {
    this.#sidecarName = name;
    this.storage.sidecar = () => readText(this.volume, this.path, name);
  }

  /** Whether the path, links followed, leads to the image's own file. */
  isItself(path: string): Promise<boolean> {
    return this.volume.isSameFile(path, this.#opened);
  }

  /** What the image is called now: by the text beside it, where that is there. */
  async imagePath(): Promise<string> {
    const text = await this.storage.sidecar?.();
    const isOurs = text !== undefined && isTextOf(text, this.path) && (await isAsTextSays(this.storage, text.bytes));
    return isOurs ? besidePath(this.path, text.name) : this.path;
  }

  /** The lock and the image's name are still ours. */
  async #refuseLost(): Promise<void> {
    await this.#lock.refuseLost();
    if (!(await this.volume.isSameFile(this.path, this.#opened))) {
      throw new ImageError("changed-underneath", say`Cannot go on with ${imageNamed(this.path)}`, {
        because: "another file has taken its name while we worked on it",
        path: this.path,
        operation: "compare",
      });
    }
  }

  async refuseOtherUsers(): Promise<void> {
    await refuseUsers(this, this.#opened, this.notes);
    const name = this.#sidecarName;
    if (name === undefined || (await this.storage.sidecar?.()) === undefined) return;
    const text = await this.volume.openForReading(besidePath(this.path, name));
    try {
      await refuseUsers(this, text, this.notes);
    } finally {
      await text.close();
    }
  }

  /** A copy of the image that shares its space; undefined where the host makes none. */
  clone(to: string): Promise<WritableStorage | undefined> {
    return this.volume.clone(this.#opened, to);
  }

  /** What could not be looked at, or done, on this machine so far. */
  get allNotes(): readonly string[] {
    return [...this.notes, ...this.volume.notes];
  }

  /** Never throws: what was done is done, and a lock that can't be removed is a dead owner's to the next command. */
  async close(): Promise<void> {
    await this.storage.close().catch(() => {});
    await this.#lock.release().catch(() => {});
  }
}
