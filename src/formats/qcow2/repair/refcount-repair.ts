/** The refcount structure as it is, trusted or not, and its refcounts set right in place (docs/interop/qcow2.txt, "Host cluster management"). */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex } from "../../../bytes/image-error.ts";
import { readTables } from "../../../image/table-reader.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { exactRefcountAt, maxRefcount, refcountAt, refcountsPerBlock, setRefcount } from "../tables/refcount.ts";
import { amissIn, judge } from "../tables/refcount-agreement.ts";
import { countedClusterCount } from "../tables/refcount-table.ts";
import { PAGE_CLUSTERS, ReferenceCounts } from "../tables/reference-counts.ts";
import { parseRefcountTableEntry } from "../tables/table-entry.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import type { RepairLog } from "./repair-log.ts";
import { type Piece, SectorEdits } from "./sector-edits.ts";

export interface RefcountStructure {
  /** Host offset of each block, 0 for none or one that can't be used. */
  readonly blocks: Float64Array;
  /** References to the refcount table and its blocks, which a survey leaves out. */
  readonly own: ReferenceCounts;
  /** Entries that no sound refcount table has. */
  readonly defectCount: number;
  /** Whether refcounts can be set right in place: nothing else lies on the structure, all of it lies in the file. */
  readonly isTrusted: boolean;
}

/** Reads the refcount table; `source` has been surveyed. */
export async function readStructure({ storage, header, geometry, tally }: WalkSource): Promise<RefcountStructure> {
  const { clusterSize, hostEnd } = geometry;
  const { refcountTableHostOffset, refcountTableClusterCount } = header;
  const size = refcountTableClusterCount * clusterSize;
  const presentSize = Math.min(size, Math.max(0, hostEnd - refcountTableHostOffset));
  const bytes = await readZeroFilled(storage, presentSize === 0 ? 0 : refcountTableHostOffset, presentSize);
  const view = new DataView(bytes.buffer);
  const own = new ReferenceCounts();
  let isAlone = presentSize === size;
  const claim = (hostOffset: number, count: number) => {
    const first = hostOffset / clusterSize;
    for (let cluster = first; cluster < first + count; cluster++) {
      if (tally.all.get(cluster) + own.get(cluster) > 0) isAlone = false;
    }
    own.add(first, count);
  };
  if (presentSize > 0) claim(refcountTableHostOffset, Math.ceil(presentSize / clusterSize));
  const blocks = new Float64Array(Math.floor(presentSize / 8));
  let defectCount = 0;
  for (let index = 0; index < blocks.length; index++) {
    const { hostOffset, hasReservedBits } = parseRefcountTableEntry(
      view.getUint32(index * 8),
      view.getUint32(index * 8 + 4),
    );
    if (hostOffset === 0 && !hasReservedBits) continue;
    if (hasReservedBits || hostOffset % clusterSize !== 0 || hostOffset + clusterSize > hostEnd) {
      defectCount++;
      continue;
    }
    blocks[index] = hostOffset;
    const wasAlone = isAlone;
    claim(hostOffset, 1);
    if (wasAlone && !isAlone) defectCount++;
  }
  return { blocks, own, defectCount, isTrusted: isAlone && defectCount === 0 };
}

/** What comparing found, and the sectors of refcount blocks as they must become. */
export interface RefcountEdits {
  /** Blocks with what must rise, all else as it is. */
  readonly raised: SectorEdits;
  /** Those sectors in which something falls, with what rose in them too. */
  readonly lowered: SectorEdits;
  readonly raisedCount: number;
  readonly loweredCount: number;
  /** Clusters with more references than their refcount can say. */
  readonly overflowCount: number;
  /** Clusters that nobody references, but that keep their refcount, as the wishes say. */
  readonly kept: ReferenceCounts;
  readonly keptCount: number;
  /** Clusters whose refcount was higher and becomes one. */
  readonly fallenToOne: ReferenceCounts;
}

export interface RefcountWishes {
  /** Refcounts that are too low are mended too. */
  readonly raise: boolean;
  /** A cluster that nobody references keeps its refcount. */
  readonly keepUnreferenced: boolean;
  /** False where the structure is made anew: differences are counted and told, but in no words of qemu-img's. */
  readonly edit: boolean;
}

/** Compares every refcount with the references to its cluster, and tells what is mended. */
export async function compareRefcountsForRepair(
  source: WalkSource,
  structure: RefcountStructure,
  wishes: RefcountWishes,
  log: RepairLog,
): Promise<RefcountEdits> {
  const comparison = new Comparison(source, structure, wishes, log);
  await comparison.run();
  return comparison;
}

/** A refcount that is not as it should be. */
interface Difference {
  readonly refcount: number;
  /** As it is stored, also beyond 2^53. */
  readonly exact: number | bigint;
  readonly references: number;
}

class Comparison implements RefcountEdits {
  readonly raised = new SectorEdits();
  readonly lowered = new SectorEdits();
  raisedCount = 0;
  loweredCount = 0;
  overflowCount = 0;
  keptCount = 0;
  readonly kept = new ReferenceCounts();
  readonly fallenToOne = new ReferenceCounts();
  readonly #source: WalkSource;
  readonly #structure: RefcountStructure;
  readonly #wishes: RefcountWishes;
  readonly #log: RepairLog;
  readonly #bits: number;
  readonly #max: number;
  readonly #perBlock: number;
  readonly #clusterCount: number;

  constructor(source: WalkSource, structure: RefcountStructure, wishes: RefcountWishes, log: RepairLog) {
    const { geometry, header } = source;
    this.#source = source;
    this.#structure = structure;
    this.#wishes = wishes;
    this.#log = log;
    this.#bits = header.refcountBits;
    this.#max = maxRefcount(header.refcountBits);
    this.#perBlock = refcountsPerBlock(geometry.clusterSize, header.refcountBits);
    this.#clusterCount = countedClusterCount(source);
  }

  async run(): Promise<void> {
    const { storage, geometry } = this.#source;
    const { blocks } = this.#structure;
    const indexes = Array.from(blocks.keys()).filter(
      (index) => (blocks[index] as number) > 0 && index * this.#perBlock < this.#clusterCount,
    );
    const hostOffsets = Float64Array.from(indexes, (index) => blocks[index] as number);
    for await (const batch of readTables(storage, hostOffsets, geometry.clusterSize)) {
      for (let at = batch.first; at < batch.first + batch.count; at++) {
        const hostOffset = hostOffsets[at] as number;
        const start = hostOffset - batch.hostOffset;
        const block = { hostOffset, bytes: batch.bytes.subarray(start, start + geometry.clusterSize) };
        this.#compareBlock(block, (indexes[at] as number) * this.#perBlock);
      }
    }
  }

  #referencesTo(cluster: number): number {
    return this.#source.tally.all.get(cluster) + this.#structure.own.get(cluster);
  }

  #compareBlock(piece: Piece, firstOfBlock: number): void {
    const { all } = this.#source.tally;
    const { own } = this.#structure;
    const block = piece.bytes;
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const stop = Math.min(firstOfBlock + this.#perBlock, this.#clusterCount);
    const step = Math.min(this.#perBlock, PAGE_CLUSTERS);
    const compareEach = (from: number, to: number) => {
      for (let cluster = from; cluster < to; cluster++) this.#compare(piece, view, cluster, cluster - firstOfBlock);
    };
    for (let first = firstOfBlock; first < stop; first += step) {
      const end = Math.min(first + step, stop);
      const page = Math.floor(first / PAGE_CLUSTERS);
      const used = all.usedOf(page);
      const amiss = used && amissIn(page, all, own);
      if (used === undefined || amiss === undefined) {
        compareEach(first, end);
        continue;
      }
      const stretch = { block, refcountBits: this.#bits, firstOfBlock, first, end, used, amiss };
      for (const judged of judge(stretch)) if (!judged.agrees) compareEach(judged.first, judged.end);
    }
  }

  #compare(block: Piece, view: DataView, cluster: number, index: number): void {
    const refcount = refcountAt(view, index, this.#bits);
    const counted = this.#referencesTo(cluster);
    const references = Math.min(counted, this.#max);
    if (counted > this.#max) this.overflowCount++;
    if (refcount === references) return;
    const exact = exactRefcountAt(view, index, this.#bits);
    this.#differs(block, cluster, index, { refcount, exact, references });
  }

  #differs(block: Piece, cluster: number, index: number, difference: Difference): void {
    const { refcount, references } = difference;
    const { raise, keepUnreferenced, edit } = this.#wishes;
    const at = block.hostOffset + Math.floor((index * this.#bits) / 8);
    const set = (edits: SectorEdits) => setInSector(edits.sectorAt(at, block), index, this.#bits, references);
    if (refcount < references) {
      this.raisedCount++;
      if (!raise) return;
      if (edit) set(this.raised);
      if (this.lowered.edited(at) !== undefined) set(this.lowered);
    } else if (references === 0 && keepUnreferenced) {
      this.keptCount++;
      this.kept.add(cluster);
      return;
    } else {
      this.loweredCount++;
      if (references === 1) this.fallenToOne.add(cluster);
      if (edit) {
        const risen = this.lowered.edited(at) === undefined ? this.raised.edited(at) : undefined;
        set(this.lowered);
        if (risen !== undefined) {
          this.lowered.sectorAt(at, block).set(risen);
          set(this.lowered);
        }
      }
    }
    this.#tell(cluster, difference);
  }

  #tell(cluster: number, { refcount, exact, references }: Difference): void {
    const hostOffset = cluster * this.#source.geometry.clusterSize;
    const isLeak = refcount > references;
    this.#log.mended({
      severity: isLeak ? "leak" : "corruption",
      kind: isLeak ? "leaked-cluster" : "refcount-mismatch",
      structure: `cluster ${cluster}`,
      hostOffset,
      refcount,
      references,
      message: `Cluster ${cluster} at host offset ${hex(hostOffset)} had refcount ${exact}, but ${counted(references, "reference")}`,
      ...(this.#wishes.edit ? { line: `Repairing cluster ${cluster} refcount=${exact} reference=${references}` } : {}),
    });
  }
}

/** Referenced clusters that no block counts. */
export function countUncounted({ header, geometry, tally }: WalkSource, { blocks, own }: RefcountStructure): number {
  const perBlock = refcountsPerBlock(geometry.clusterSize, header.refcountBits);
  const hasBlock = (cluster: number) => (blocks[Math.floor(cluster / perBlock)] ?? 0) !== 0;
  let count = 0;
  for (const counts of [tally.all, own]) {
    for (const page of counts.pageIndexes()) {
      const start = page * PAGE_CLUSTERS;
      let isCovered = true;
      for (let cluster = start; cluster < start + PAGE_CLUSTERS; cluster += Math.min(perBlock, PAGE_CLUSTERS)) {
        if (!hasBlock(cluster)) isCovered = false;
      }
      if (isCovered) continue;
      for (const { cluster } of counts.eachIn(page)) if (!hasBlock(cluster)) count++;
    }
  }
  return count;
}

/** Sets one refcount in the sector that holds it; `index` counts from the block's start. */
function setInSector(sector: Uint8Array, index: number, bits: number, refcount: number): void {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  setRefcount(view, index % refcountsPerBlock(SECTOR_SIZE, bits), bits, refcount);
}
