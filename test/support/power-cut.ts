/**
 * What a power cut may leave of a pool of files: a superset of what ext4, XFS and NTFS do.
 *
 * Sectors, sizes and names in doubt are chosen each by itself: by a seeded sampler in strata, or all of them.
 */

import { createHash } from "node:crypto";
import { SECTOR_SIZE } from "../../src/bytes/align.ts";
import { CrashFile } from "./crash-file.ts";
import { CrashNames } from "./crash-names.ts";
import type { Random } from "./random.ts";
import type { FileId, Operation, OperationLog } from "./recording-volume.ts";

/** The files on disk after the cut: the input of a new `RecordingVolume`. */
export type DiskState = Record<string, Uint8Array<ArrayBuffer>>;

const digests = new WeakMap<Uint8Array, string>();

/** Of bytes that nobody changes any more. */
export function digestOf(bytes: Uint8Array): string {
  const known = digests.get(bytes);
  if (known !== undefined) return known;
  const digest = createHash("sha1").update(bytes).digest("base64");
  digests.set(bytes, digest);
  return digest;
}

/** The same for states that are alike in all files. */
export function stateKey(state: DiskState): string {
  return Object.entries(state)
    .map(([path, bytes]) => `${path} ${digestOf(bytes)}`)
    .sort()
    .join();
}

export const OUTCOMES = [
  /** Nothing since the last syncs. */
  "all-old",
  /** Everything. */
  "all-new",
  /** Each sector, size and name by itself. */
  "each-sector-random",
  /** All sectors old but one; sizes and names new. */
  "one-sector-new",
  /** All sectors new but one; sizes and names new. */
  "one-sector-old",
  /** Sizes that are not the old ones, no data; names new. */
  "sizes-only",
  /** Some names, no data, no sizes. */
  "names-only",
  /** Sectors past the old end are zeros, all others new; sizes and names new. */
  "zeros-if-fresh",
  /** Never old, but of several unsynced versions any; where there are none, each file new up to a sector, then old. */
  "torn-between-versions",
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Decides everything in doubt. */
export interface Choice {
  /** Asked for the first, second, ... name change in doubt. */
  persists(index: number): boolean;
  size(file: CrashFile): number;
  sector(file: CrashFile, sector: number): Uint8Array;
}

const oldest = <T>(choices: readonly T[]): T => choices[0] as T;
const newest = <T>(choices: readonly T[]): T => choices.at(-1) as T;

export class PowerCut {
  readonly files = new Map<FileId, CrashFile>();
  readonly names: CrashNames;

  /** `initial` as in an OperationLog: all durable. */
  constructor(initial: Readonly<Record<string, Uint8Array>>) {
    const names = new Map<string, FileId>();
    for (const [path, bytes] of Object.entries(initial)) {
      names.set(path, names.size);
      this.files.set(names.size - 1, new CrashFile(bytes));
    }
    this.names = new CrashNames(names);
  }

  /** Moves the cut behind one more operation. */
  apply(operation: Operation): void {
    switch (operation.kind) {
      case "open":
        break;
      case "create":
        this.files.set(operation.file, new CrashFile(new Uint8Array(0)));
        this.names.apply(operation);
        break;
      case "link":
      case "rename":
      case "remove":
        this.names.apply(operation);
        break;
      case "write":
        this.file(operation.file).write(operation.hostOffset, operation.bytes);
        break;
      case "resize":
        this.file(operation.file).resize(operation.size);
        break;
      case "punch":
        for (const { start, end } of operation.ranges) this.file(operation.file).punch(start, end);
        break;
      case "sync":
        this.file(operation.file).sync(operation.isFailed);
        break;
      case "syncFolder":
        if (!operation.isFailed) this.names.syncFolder(operation.folder);
    }
  }

  /** True where nothing is in doubt: every outcome is the same state. */
  get isSettled(): boolean {
    return this.names.pendingCount === 0 && [...this.files.values()].every((file) => file.isSettled);
  }

  /** One state of the stratum; besides those sets, growing sizes may stop at a sector between. */
  sample(outcome: Outcome, random: Random): DiskState {
    return this.compose(this.choiceOf(outcome, random));
  }

  /** How the stratum chooses; the random ones choose anew at each question. */
  choiceOf(outcome: Outcome, random: Random): Choice {
    const allNew: Choice = {
      persists: () => true,
      size: (file) => newest(file.sizeChoices),
      sector: (file, sector) => newest(file.sectorChoices(sector)),
    };
    const oldData = (file: CrashFile, sector: number): Uint8Array => oldest(file.sectorChoices(sector));
    switch (outcome) {
      case "all-old":
        return { persists: () => false, size: (file) => oldest(file.sizeChoices), sector: oldData };
      case "all-new":
        return allNew;
      case "each-sector-random":
        return {
          persists: () => random.chance(0.5),
          size: (file) => anySize(file, random),
          sector: (file, sector) => random.pick(file.sectorChoices(sector)),
        };
      case "one-sector-new": {
        const [oneFile, oneSector] = this.#anySector(random);
        const isIt = (file: CrashFile, sector: number): boolean => file === oneFile && sector === oneSector;
        return { ...allNew, sector: (file, at) => (isIt(file, at) ? allNew.sector : oldData)(file, at) };
      }
      case "one-sector-old": {
        const [oneFile, oneSector] = this.#anySector(random);
        const isIt = (file: CrashFile, sector: number): boolean => file === oneFile && sector === oneSector;
        return { ...allNew, sector: (file, at) => (isIt(file, at) ? oldData : allNew.sector)(file, at) };
      }
      case "sizes-only":
        return {
          ...allNew,
          size: (file) => (file.sizeChoices.length > 1 ? random.pick(file.sizeChoices.slice(1)) : allNew.size(file)),
          sector: oldData,
        };
      case "names-only": {
        const oneAtLeast = random.below(Math.max(1, this.names.pendingCount));
        return {
          persists: (index) => index === oneAtLeast || random.chance(0.5),
          size: (file) => oldest(file.sizeChoices),
          sector: oldData,
        };
      }
      case "zeros-if-fresh":
        return {
          ...allNew,
          sector: (file, sector) => (file.isFresh(sector) ? new Uint8Array(SECTOR_SIZE) : allNew.sector(file, sector)),
        };
      case "torn-between-versions":
        return this.#torn(allNew, oldData, random);
    }
  }

  #torn(allNew: Choice, oldData: Choice["sector"], random: Random): Choice {
    const hasVersions = [...this.files.values()].some((file) =>
      file.pendingSectors.some((sector) => file.sectorChoices(sector).length > 2),
    );
    if (hasVersions) {
      const sector = (file: CrashFile, at: number): Uint8Array => random.pick(file.sectorChoices(at).slice(1));
      return { ...allNew, sector };
    }
    const tears = new Map<CrashFile, number>();
    for (const file of this.files.values()) {
      const pending = file.pendingSectors;
      if (pending.length > 0) tears.set(file, random.pick(pending));
    }
    const isNew = (file: CrashFile, at: number): boolean => at < (tears.get(file) ?? 0);
    return { ...allNew, sector: (file, at) => (isNew(file, at) ? allNew.sector : oldData)(file, at) };
  }

  #anySector(random: Random): readonly [CrashFile | undefined, number] {
    const named = new Set(this.names.compose(() => true).values());
    const all = [...this.files]
      .filter(([id]) => named.has(id))
      .flatMap(([, file]) => file.pendingSectors.map((sector) => [file, sector] as const));
    return all.length === 0 ? [undefined, 0] : random.pick(all);
  }

  /** The files after the cut, by a choice of one's own. */
  compose(choice: Choice): DiskState {
    const state: DiskState = {};
    for (const [path, id] of this.names.compose((index) => choice.persists(index))) {
      const file = this.file(id);
      state[path] = file.compose(choice.size(file), (sector) => choice.sector(file, sector));
    }
    return state;
  }

  file(id: FileId): CrashFile {
    return this.files.get(id) as CrashFile;
  }
}

/** The cut after the first `count` operations of a log. To visit many, `apply` to one PowerCut step by step. */
export function cutAfter(log: OperationLog, count: number): PowerCut {
  const cut = new PowerCut(log.initial);
  for (const operation of log.operations.slice(0, count)) cut.apply(operation);
  return cut;
}

/** Every cut of a log in order, from before the first operation to after the last; each valid until the next. */
export function* eachCut(log: OperationLog): Generator<{ readonly count: number; readonly cut: PowerCut }> {
  const cut = new PowerCut(log.initial);
  yield { count: 0, cut };
  for (const [index, operation] of log.operations.entries()) {
    cut.apply(operation);
    yield { count: index + 1, cut };
  }
}

export function sampleState(log: OperationLog, count: number, outcome: Outcome, random: Random): DiskState {
  return cutAfter(log, count).sample(outcome, random);
}

/** A size that was set since the last sync or, where the file grew, a whole sector between two of them. */
function anySize(file: CrashFile, random: Random): number {
  const choices = file.sizeChoices;
  const at = random.below(choices.length);
  const [size, next] = [choices[at] as number, choices[at + 1] ?? 0];
  const sectorsBetween = Math.floor((next - size) / SECTOR_SIZE);
  if (sectorsBetween < 1 || random.chance(0.75)) return size;
  return (Math.floor(size / SECTOR_SIZE) + 1 + random.below(sectorsBetween)) * SECTOR_SIZE;
}
