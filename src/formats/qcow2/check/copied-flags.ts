/** Says of which entries of the active tables the COPIED flag is wrong, in the tables' order. */

import { firstAbove } from "../../../bytes/first-above.ts";
import { hex } from "../../../bytes/image-error.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import type { L1Place, StoredL1Entry } from "../tables/l1-table.ts";
import { type L2Sink, scanL2Table } from "../tables/l2-table-scan.ts";
import { listedTables } from "../tables/listed-tables.ts";
import { exactRefcountAt, refcountsPerBlock } from "../tables/refcount.ts";
import { NO_BLOCK, type RefcountBlocks, UNREADABLE_BLOCK, unalignedWords } from "../tables/refcount-table.ts";
import type { ReferenceTally } from "../tables/reference-tally.ts";
import { hexOfHalves, RESERVED_LOW } from "../tables/table-entry.ts";
import type { WalkSource } from "../tables/table-walk.ts";

/** A refcount, or undefined where it is known that the flag agrees with it, or where it can't be read. */
type Refcount = number | bigint | undefined;

interface FlaggedEntry {
  readonly structure: string;
  readonly hostOffset: number;
  readonly isCopied: boolean;
  /** With all its flags, in hexadecimal digits. */
  readonly words: string;
  readonly guestOffset?: number;
}

/**
 * Walks those active tables once more that may have wrong flags. `source.tally` hears what is found; `quick` knows the
 * refcounts of the file's clusters where some flag is wrong, and refcounts of places outside the file are looked up.
 */
export async function tellCopiedFlags(
  source: WalkSource,
  blocks: RefcountBlocks,
  quick: ReferenceTally,
): Promise<void> {
  const { header, geometry, tally } = source;
  const { clusterSize, hostClusterCount, bytesPerL2Table } = geometry;
  const { misflagged } = quick;
  const refcounts = new Refcounts(source, blocks);
  const l1: Pick<L1Place, "hostOffset" | "entryCount"> = {
    hostOffset: header.l1TableHostOffset,
    entryCount: header.l1EntryCount,
  };
  const isKnown = (hostOffset: number, isTable: boolean): boolean =>
    Math.floor(hostOffset / clusterSize) < hostClusterCount && tally.isInside(hostOffset, isTable ? clusterSize : 0);
  const refcountOf = (hostOffset: number, isTable: boolean): Refcount | Promise<Refcount> => {
    const cluster = Math.floor(hostOffset / clusterSize);
    return isKnown(hostOffset, isTable) ? misflagged.get(cluster) : refcounts.read(cluster);
  };
  // Mostly all but a few flags are right, and nothing is made of those.
  const wrong = Float64Array.from(misflagged.keys()).sort();
  const sureCount = (hostOffset: number, clusterCount: number): number => {
    if (header.hasDataFile || !isKnown(hostOffset + (clusterCount - 1) * clusterSize, false)) return 0;
    const first = Math.floor(hostOffset / clusterSize);
    return Math.min(nextOf(wrong, first) - first, clusterCount);
  };
  const mayBeWrong = ({ index, hostOffset: place }: StoredL1Entry): boolean => {
    const cluster = Math.floor(place / clusterSize);
    const reach = quick.activeL2Tables.get(cluster) === 1 ? quick.reach.of(index) : undefined;
    if (reach === undefined || quick.suspectTables.get(cluster) > 0) return true;
    return header.hasDataFile || quick.askewTables > 0 || nextOf(wrong, reach.first) < reach.end;
  };
  for await (const { entry, table } of listedTables(source, l1, mayBeWrong)) {
    const { index, hostOffset, copied, high, low } = entry;
    // QEMU looks at the flag of real tables alone, so not at that of entries with flags but no place.
    if (hostOffset === 0) continue;
    const cluster = Math.floor(hostOffset / clusterSize);
    if (refcounts.isUnreadable(cluster)) {
      await refcounts.read(cluster);
      continue;
    }
    const words = `L2 cluster: l1_index=${index} l1_entry=${hexOfHalves(high, low)}`;
    tell(
      tally,
      { structure: `L2 table ${index}`, hostOffset, isCopied: copied, words },
      await refcountOf(hostOffset, true),
    );
    if (table === undefined) continue;
    const entries = new FlaggedEntries(source, table, index, sureCount);
    scanL2Table(table, geometry, entries);
    for (const flagged of entries.found) {
      const refcount = header.hasDataFile ? 1 : refcountOf(flagged.hostOffset, false);
      const known = refcount instanceof Promise ? await refcount : refcount;
      tell(tally, { ...flagged, guestOffset: index * bytesPerL2Table + flagged.entryIndex * clusterSize }, known);
    }
  }
}

function tell(tally: ReferenceTally, entry: FlaggedEntry, refcount: Refcount): void {
  const { structure, hostOffset, isCopied, words, guestOffset } = entry;
  if (refcount === undefined || isCopied === (refcount === 1)) return;
  tally.corruption(() => ({
    kind: "copied-flag-mismatch",
    structure,
    hostOffset,
    ...(guestOffset === undefined ? {} : { guestOffset }),
    refcount: Number(refcount),
    message: `COPIED flag of the entry for host offset ${hex(hostOffset)} is ${isCopied ? "set" : "clear"}, but the refcount is ${refcount}`,
    line: `ERROR OFLAG_COPIED ${words} refcount=${refcount}`,
  }));
}

/** The entries of one L2 table whose flag means something and may be wrong. */
class FlaggedEntries implements L2Sink {
  readonly found: (FlaggedEntry & { readonly entryIndex: number })[] = [];
  readonly #source: WalkSource;
  readonly #view: DataView;
  readonly #structure: string;
  readonly #sureCount: (hostOffset: number, clusterCount: number) => number;
  #entryIndex = 0;

  /** `sureCount` tells of clusters in a row how many are the first ones whose flags are known to be right. */
  constructor(
    source: WalkSource,
    table: Uint8Array,
    l1Index: number,
    sureCount: (hostOffset: number, clusterCount: number) => number,
  ) {
    this.#source = source;
    this.#sureCount = sureCount;
    this.#view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    this.#structure = `L2 table ${l1Index}`;
  }

  unallocated(entryCount: number): void {
    this.#entryIndex += entryCount;
  }

  zeros(entryCount: number): void {
    this.#entryIndex += entryCount;
  }

  compressed(): void {
    this.#entryIndex++;
  }

  clusters(_isZero: boolean, hostOffset: number, entryCount: number, isCopied: boolean): void {
    const { clusterSize } = this.#source.geometry;
    for (let turn = 0; turn < entryCount; ) {
      const place = hostOffset + turn * clusterSize;
      const sureCount = this.#sureCount(place, entryCount - turn);
      this.#entryIndex += sureCount;
      turn += sureCount;
      if (turn < entryCount) this.#add(hostOffset + turn++ * clusterSize, isCopied);
    }
  }

  subclusters(hostOffset: number, isCopied: boolean): void {
    if (hostOffset === 0) this.#entryIndex++;
    else this.clusters(false, hostOffset, 1, isCopied);
  }

  defect(): void {}

  #add(hostOffset: number, isCopied: boolean): void {
    const entryIndex = this.#entryIndex++;
    const at = entryIndex * this.#source.geometry.l2EntrySize;
    const entry = hexOfHalves(this.#view.getUint32(at), this.#view.getUint32(at + 4));
    this.found.push({
      entryIndex,
      structure: this.#structure,
      hostOffset,
      isCopied,
      words: `data cluster: l2_entry=${entry}`,
    });
  }
}

/** The first of `clusters`, which ascend, that is `from` or more; infinity for none. */
function nextOf(clusters: Float64Array, from: number): number {
  return clusters[firstAbove(clusters, from - 1)] ?? Number.POSITIVE_INFINITY;
}

/** Refcounts of single clusters; the last block is kept. */
class Refcounts {
  readonly #source: WalkSource;
  readonly #blocks: RefcountBlocks;
  readonly #block: Uint8Array;
  readonly #perBlock: number;
  #blockAt = -1;

  constructor(source: WalkSource, blocks: RefcountBlocks) {
    this.#source = source;
    this.#blocks = blocks;
    this.#block = new Uint8Array(source.geometry.clusterSize);
    this.#perBlock = refcountsPerBlock(source.geometry.clusterSize, source.header.refcountBits);
  }

  isUnreadable(cluster: number): boolean {
    return this.#blocks[Math.floor(cluster / this.#perBlock)] === UNREADABLE_BLOCK;
  }

  async read(cluster: number): Promise<Refcount> {
    const { storage, header } = this.#source;
    const index = Math.floor(cluster / this.#perBlock);
    if (this.isUnreadable(cluster)) return await this.#sayUnaligned(index);
    const place = this.#blocks[index] ?? NO_BLOCK;
    if (place === NO_BLOCK) return 0;
    if (place !== this.#blockAt) {
      this.#block.fill(0, await storage.read(place, this.#block));
      this.#blockAt = place;
    }
    return exactRefcountAt(new DataView(this.#block.buffer), cluster % this.#perBlock, header.refcountBits);
  }

  async #sayUnaligned(index: number): Promise<undefined> {
    const { storage, header, geometry, tally } = this.#source;
    if (tally.hasSaidUnaligned) return;
    const hostOffset = header.refcountTableHostOffset + index * 8;
    const entry = new DataView((await readZeroFilled(storage, hostOffset, 8)).buffer);
    const [high, low] = [entry.getUint32(0), entry.getUint32(4) & ~RESERVED_LOW];
    if ((low & (geometry.clusterSize - 1)) === 0) return;
    tally.hasSaidUnaligned = true;
    const structure = `refcount block ${index}`;
    const message = `Entry ${index} of the refcount table: its block does not lie where one can`;
    const line = unalignedWords(index, hexOfHalves(high, low));
    // Counted where the table was read; here it is only said.
    tally.error(() => ({ kind: "refcount-unreadable", structure, hostOffset, message, line }), 0);
  }
}
