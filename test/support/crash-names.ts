/**
 * The names of the crash model: each creation, second name, rename and removal since the last sync of its folder persists or not,
 * by itself. A rename is atomic; what it takes the name from is gone with it.
 */

import { dirname } from "node:path";
import type { FileId, Operation } from "./recording-volume.ts";

type Change =
  | { readonly kind: "create"; readonly path: string; readonly file: FileId }
  | { readonly kind: "rename"; readonly to: string; readonly file: FileId }
  | { readonly kind: "remove"; readonly path: string; readonly file: FileId };

interface PendingChange {
  readonly change: Change;
  /** Folders still to be synced; empty: durable, but a change before it is not yet. */
  readonly folders: Set<string>;
}

export class CrashNames {
  #durable: Map<string, FileId>;
  readonly #current: Map<string, FileId>;
  #pending: PendingChange[] = [];

  constructor(names: ReadonlyMap<string, FileId>) {
    this.#durable = new Map(names);
    this.#current = new Map(names);
  }

  apply(operation: Extract<Operation, { kind: "create" | "link" | "rename" | "remove" }>): void {
    if (operation.kind === "create" || operation.kind === "link") {
      const { path, file } = operation;
      this.#change({ kind: "create", path, file }, [path]);
      return;
    }
    const from = operation.kind === "rename" ? operation.from : operation.path;
    const file = this.#current.get(from) as FileId;
    if (operation.kind === "remove") this.#change({ kind: "remove", path: from, file }, [from]);
    else this.#change({ kind: "rename", to: operation.to, file }, [from, operation.to]);
  }

  syncFolder(folder: string): void {
    for (const { folders } of this.#pending) folders.delete(folder);
    while (this.#pending[0]?.folders.size === 0) {
      this.#durable = changed(this.#durable, (this.#pending.shift() as PendingChange).change);
    }
  }

  /** How many changes are in doubt. */
  get pendingCount(): number {
    return this.#pending.filter(({ folders }) => folders.size > 0).length;
  }

  /** The names after a cut; `persists` is asked for the first, second, ... change in doubt. */
  compose(persists: (index: number) => boolean): Map<string, FileId> {
    let names = this.#durable;
    let index = 0;
    for (const { change, folders } of this.#pending) {
      if (folders.size === 0 || persists(index++)) names = changed(names, change);
    }
    return new Map(names);
  }

  #change(change: Change, paths: readonly string[]): void {
    const after = changed(this.#current, change);
    this.#current.clear();
    for (const [path, file] of after) this.#current.set(path, file);
    this.#pending.push({ change, folders: new Set(paths.map((path) => dirname(path))) });
  }
}

function changed(names: ReadonlyMap<string, FileId>, change: Change): Map<string, FileId> {
  const after = new Map(names);
  switch (change.kind) {
    case "create":
      // Where the removal before it did not persist, the name can't have been made anew.
      if (!after.has(change.path)) after.set(change.path, change.file);
      return after;
    case "rename":
      for (const [path, file] of after) if (file === change.file) after.delete(path);
      return after.set(change.to, change.file);
    case "remove":
      if (after.get(change.path) === change.file) after.delete(change.path);
      return after;
  }
}
