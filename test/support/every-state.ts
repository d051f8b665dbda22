/** All states that a power cut may leave where they can be counted, and strata of them where they can't. */

import { SECTOR_SIZE } from "../../src/bytes/align.ts";
import type { CrashFile } from "./crash-file.ts";
import { type Choice, type DiskState, OUTCOMES, type PowerCut } from "./power-cut.ts";
import { seededRandom } from "./random.ts";
import type { FileId } from "./recording-volume.ts";

export interface States {
  readonly isExhaustive: boolean;
  /** Lazily, and only until the cut moves on. */
  readonly states: Iterable<DiskState>;
}

/**
 * Every state of the cut, each once, where they are at most `limit` (twelve sectors with one version each make 4096).
 * Else each stratum once, each sector alone new and alone old, and random states by `seed`, `limit` in all. Sizes
 * between those that were set are left to the sampler.
 */
export function enumerateStates(cut: PowerCut, limit = 4096, seed = 1): States {
  const isExhaustive = countStates(cut, limit) <= limit;
  return { isExhaustive, states: isExhaustive ? everyState(cut) : firstOf(strata(cut, seed), limit) };
}

/** Stops counting past `limit`. */
function countStates(cut: PowerCut, limit: number): number {
  if (2 ** cut.names.pendingCount > limit) return Number.POSITIVE_INFINITY;
  let count = 0;
  for (const names of everyNames(cut)) {
    let product = 1;
    for (const id of names.values()) product *= countContents(cut.file(id), limit);
    count += product;
    if (count > limit) break;
  }
  return count;
}

function countContents(file: CrashFile, limit: number): number {
  let count = 0;
  for (const size of distinct(file.sizeChoices)) {
    let product = 1;
    for (const sector of file.pendingSectors) {
      if (sector * SECTOR_SIZE < size) product *= visibleChoices(file, sector, size).length;
      if (product > limit) return Number.POSITIVE_INFINITY;
    }
    count += product;
  }
  return count;
}

function* everyState(cut: PowerCut): Generator<DiskState> {
  for (const names of everyNames(cut)) {
    yield* product([...names].map(([path, id]) => [path, cut.file(id)] as const));
  }
}

/** Each distinct set of names once. */
function* everyNames(cut: PowerCut): Generator<Map<string, FileId>> {
  const seen = new Set<string>();
  for (let subset = 0; subset < 2 ** cut.names.pendingCount; subset++) {
    const names = cut.names.compose((index) => ((subset >> index) & 1) === 1);
    const key = JSON.stringify([...names].sort());
    if (!seen.has(key)) yield names;
    seen.add(key);
  }
}

function* product(files: readonly (readonly [string, CrashFile])[], state: DiskState = {}): Generator<DiskState> {
  const [first, ...rest] = files;
  if (first === undefined) {
    yield state;
    return;
  }
  const [path, file] = first;
  for (const bytes of everyContent(file)) yield* product(rest, { ...state, [path]: bytes });
}

function* everyContent(file: CrashFile): Generator<Uint8Array<ArrayBuffer>> {
  for (const size of distinct(file.sizeChoices)) {
    const pending = file.pendingSectors.filter((sector) => sector * SECTOR_SIZE < size);
    const choices = pending.map((sector) => [sector, visibleChoices(file, sector, size)] as const);
    const total = choices.reduce((count, [, list]) => count * list.length, 1);
    for (let number = 0; number < total; number++) {
      // `number` read as digits, one a sector, each to the base of its choices.
      let rest = number;
      const chosen = new Map<number, Uint8Array>();
      for (const [sector, list] of choices) {
        chosen.set(sector, list[rest % list.length] as Uint8Array);
        rest = Math.floor(rest / list.length);
      }
      yield file.compose(size, (sector) => chosen.get(sector) as Uint8Array);
    }
  }
}

/** What can be told apart of a sector's choices in a file of `size`, each once. */
function visibleChoices(file: CrashFile, sector: number, size: number): Uint8Array[] {
  const length = Math.min(SECTOR_SIZE, size - sector * SECTOR_SIZE);
  const seen = new Set<string>();
  return file.sectorChoices(sector).filter((choice) => {
    const key = Buffer.from(choice.subarray(0, length)).toString("latin1");
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function distinct(sizes: readonly number[]): number[] {
  return [...new Set(sizes)];
}

/** Goes on for ever. */
function* strata(cut: PowerCut, seed: number): Generator<DiskState> {
  const random = seededRandom(seed);
  for (const outcome of OUTCOMES) yield cut.sample(outcome, random);
  const allNew = cut.choiceOf("all-new", random);
  const oldData = { ...allNew, sector: cut.choiceOf("all-old", random).sector };
  for (const file of cut.files.values()) {
    for (const sector of file.pendingSectors) {
      const alone = (one: Choice, rest: Choice): Choice => ({
        ...allNew,
        sector: (other, at) => (other === file && at === sector ? one : rest).sector(other, at),
      });
      yield cut.compose(alone(allNew, oldData));
      yield cut.compose(alone(oldData, allNew));
    }
  }
  for (;;) yield cut.sample("each-sector-random", random);
}

function* firstOf(states: Iterable<DiskState>, limit: number): Generator<DiskState> {
  let count = 0;
  for (const state of states) {
    if (count++ === limit) return;
    yield state;
  }
}
