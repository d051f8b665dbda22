/** The way back: from extents to L2 entries, in guest order and without ever holding all of them. */

import { ExtentState, type ExtentTable } from "../../../image/extent.ts";
import type { Relocation } from "./relocation.ts";
import { fillEntries, ZERO_ENTRY } from "./table-entry.ts";

/** Neighbouring guest clusters whose entries follow from one another. Addresses in clusters. */
export interface EntryRun {
  readonly guestCluster: number;
  readonly count: number;
  /** Where the first lies, or -1 for clusters that read as zeros. */
  readonly hostCluster: number;
  /** Where it lay before the relocation; the same for what stays. */
  readonly fromCluster: number;
}

/** The allocated clusters of a mapping in guest order, where they lie or, with a relocation, where they will. */
export function* entryRuns(extents: ExtentTable, clusterSize: number, relocation?: Relocation): Generator<EntryRun> {
  let move = 0;
  for (let row = 0; row < extents.count; row++) {
    const state = extents.state[row] as ExtentState;
    if (state === ExtentState.unallocated) continue;
    let guestCluster = (extents.guestOffset[row] as number) / clusterSize;
    // The last cluster of the disk may be cut short; its entry is whole.
    let rest = Math.ceil((extents.length[row] as number) / clusterSize);
    if (state === ExtentState.zero) {
      yield { guestCluster, count: rest, hostCluster: -1, fromCluster: -1 };
      continue;
    }
    let hostCluster = (extents.hostOffset[row] as number) / clusterSize;
    const staying = relocation === undefined ? rest : Math.min(rest, Math.max(0, relocation.limit - hostCluster));
    if (staying > 0) yield { guestCluster, count: staying, hostCluster, fromCluster: hostCluster };
    guestCluster += staying;
    hostCluster += staying;
    rest -= staying;
    // Moves were made from these very rows, so that none reaches past its row.
    while (rest > 0) {
      const { counts, toClusters } = relocation as Relocation;
      const count = counts[move] as number;
      yield { guestCluster, count, hostCluster: toClusters[move] as number, fromCluster: hostCluster };
      move++;
      hostCluster += count;
      guestCluster += count;
      rest -= count;
    }
  }
}

/** Fills ranges of L2 entries from runs; ranges must be asked for in ascending guest order. */
export class EntryEncoder {
  readonly #runs: Iterator<EntryRun>;
  readonly #clusterSize: number;
  #run: EntryRun | undefined;

  constructor(runs: Iterable<EntryRun>, clusterSize: number) {
    this.#runs = runs[Symbol.iterator]();
    this.#clusterSize = clusterSize;
    this.#advance();
  }

  /** Sets the entries of `count` guest clusters from `firstGuestCluster`, from entry `index` of `words` on. */
  fill(words: Uint32Array, index: number, firstGuestCluster: number, count: number): void {
    const end = firstGuestCluster + count;
    for (let run = this.#run; run !== undefined && run.guestCluster < end; run = this.#run) {
      const runEnd = run.guestCluster + run.count;
      const from = Math.max(run.guestCluster, firstGuestCluster);
      const to = Math.min(runEnd, end);
      if (to > from) {
        const at = index + (from - firstGuestCluster);
        if (run.hostCluster < 0) fillEntries(words, at, to - from, ZERO_ENTRY, 0);
        else {
          const hostOffset = (run.hostCluster + (from - run.guestCluster)) * this.#clusterSize;
          fillEntries(words, at, to - from, hostOffset, this.#clusterSize);
        }
      }
      // What reaches past this range is still wanted by the next.
      if (runEnd > end) return;
      this.#advance();
    }
  }

  #advance(): void {
    const next = this.#runs.next();
    this.#run = next.done ? undefined : next.value;
  }
}
