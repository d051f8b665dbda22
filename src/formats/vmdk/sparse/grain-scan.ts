/** One walk over all grain tables that gives the mapping, and what speaks against it ("Virtual Disk Format 5.0", "Grain Tables"). */

import { ceilDiv, SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../image/extent.ts";
import type { FindingListener } from "../../../image/finding.ts";
import type { Storage } from "../../../storage/storage.ts";
import { MarkerFields, MarkerType } from "./fields.ts";
import { SparseFindings } from "./findings.ts";
import { ENTRY_SIZE, FOOTER_LENGTH, type SparseHeader } from "./header.ts";
import { readInOrder } from "./reads.ts";
import { GrainList, readStreams } from "./streams.ts";
import { misplacedTable, readDirectory, readTables, tableRuns } from "./tables.ts";

/** With zeroed grains: one that reads as zeros and lies nowhere. */
const ZERO_GRAIN = 1;

export interface GrainScan {
  /** Undefined where a table or a grain can't be followed; `findings.broken` then says which. */
  readonly mapping: ExtentTable | undefined;
  readonly findings: SparseFindings;
  readonly directory: Uint32Array;
  /** Every host byte that is metadata, but for the redundant tables and the markers of grains. */
  readonly metadata: RangeSet;
  /** Every grain begins at a multiple of its size. */
  readonly isAligned: boolean;
  /** Plain bytes of the disk's last stream, where they are fewer than a grain. */
  readonly tailLength: number | undefined;
}

/** Throws ImageError only for what can't be read. */
export async function scanGrains(
  storage: Storage,
  header: SparseHeader,
  listener?: FindingListener,
): Promise<GrainScan> {
  const findings = new SparseFindings(listener);
  const directory = await readDirectory(storage, header, header.directoryOffset);
  const metadata = metadataOf(header, directory);
  const misplaced = misplacedTable(directory, header);
  if (misplaced !== undefined) {
    findings.breaks(misplaced);
    return { mapping: undefined, findings, directory, metadata, isAligned: false, tailLength: undefined };
  }
  if (header.isCompressed) {
    const grains = new GrainList();
    for await (const { first, count, view } of readTables(storage, header, directory))
      grains.addTables(view, first * header.entryCount, count * header.entryCount, header);
    await addMarkers(storage, header, directory, metadata);
    const streams = await readStreams(storage, header, grains, metadata, findings);
    return { ...streams, findings, directory, metadata, isAligned: false };
  }
  const grains = new PlainGrains(header, findings);
  for await (const { first, count, view } of readTables(storage, header, directory))
    grains.addTables(view, first * header.entryCount, count * header.entryCount);
  const { isAligned } = grains;
  return { mapping: grains.finish(), findings, directory, metadata, isAligned, tailLength: undefined };
}

function metadataOf(header: SparseHeader, directory: Uint32Array): RangeSet {
  const { descriptorOffset, descriptorLength, directoryOffset, tableCount, tableBytes, fileSize } = header;
  const metadata = RangeSet.of(
    { start: 0, end: SECTOR_SIZE },
    { start: descriptorOffset, end: descriptorOffset + descriptorLength },
    { start: directoryOffset, end: directoryOffset + tableCount * ENTRY_SIZE },
  );
  for (const sector of directory)
    if (sector !== 0) metadata.add(sector * SECTOR_SIZE, sector * SECTOR_SIZE + tableBytes);
  if (header.hasFooter) metadata.add(fileSize - FOOTER_LENGTH, fileSize);
  return metadata;
}

/** The sectors that announce the directory and its tables to who reads from front to end. */
async function addMarkers(
  storage: Storage,
  header: SparseHeader,
  directory: Uint32Array,
  metadata: RangeSet,
): Promise<void> {
  const { directoryOffset, tableCount, tableBytes } = header;
  const before = (hostOffset: number, bytes: number, type: number) => ({
    hostOffset: hostOffset - SECTOR_SIZE,
    length: MarkerFields.size,
    type,
    sectorCount: ceilDiv(bytes, SECTOR_SIZE),
  });
  const announced = function* () {
    yield before(directoryOffset, tableCount * ENTRY_SIZE, MarkerType.grainDirectory);
    for (const { hostOffset } of tableRuns(directory, header))
      yield before(hostOffset, tableBytes, MarkerType.grainTable);
  };
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for await (const { request, bytes } of readInOrder(storage, announced())) {
    const { hostOffset, type, sectorCount } = request;
    const found = view(bytes);
    const isOne =
      found.getUint32(0, true) === sectorCount &&
      found.getUint32(4, true) === 0 &&
      found.getUint32(8, true) === 0 &&
      found.getUint32(12, true) === type;
    if (isOne) metadata.add(hostOffset, hostOffset + SECTOR_SIZE);
  }
}

/** Grains as they lie in the file. */
class PlainGrains {
  readonly #header: SparseHeader;
  readonly #findings: SparseFindings;
  readonly #mapping = new ExtentTableBuilder();
  isAligned = true;

  constructor(header: SparseHeader, findings: SparseFindings) {
    this.#header = header;
    this.#findings = findings;
  }

  /** `count` entries, the first of which is of grain `firstGrain`. */
  addTables(view: DataView, firstGrain: number, count: number): void {
    const { grainSize, hasZeroGrains, virtualSize } = this.#header;
    const sectors = grainSize / SECTOR_SIZE;
    const inside = Math.min(count, Math.ceil(virtualSize / grainSize) - firstGrain);
    const entry = (at: number) => view.getUint32(at * ENTRY_SIZE, true);
    for (let at = 0; at < inside; ) {
      const sector = entry(at);
      const isZero = hasZeroGrains && sector === ZERO_GRAIN;
      const step = sector === 0 || isZero ? 0 : sectors;
      let next = at + 1;
      while (next < inside && entry(next) === sector + (next - at) * step) next++;
      if (isZero) this.#append(firstGrain + at, next - at, ExtentState.zero);
      else if (sector !== 0) this.#addRun(firstGrain + at, next - at, sector * SECTOR_SIZE);
      at = next;
    }
  }

  finish(): ExtentTable | undefined {
    if (this.#findings.broken !== undefined) return undefined;
    const { virtualSize } = this.#header;
    this.#mapping.append(virtualSize - this.#mapping.end, ExtentState.unallocated);
    return this.#mapping.finish(virtualSize);
  }

  /** Of grains that lie one behind another. A file may end inside the last, whose rest reads as zeros. */
  #addRun(grain: number, count: number, hostOffset: number): void {
    const { grainSize, fileSize, guestStart } = this.#header;
    const present = Math.min(count, Math.max(0, Math.ceil((fileSize - hostOffset) / grainSize)));
    if (present < count)
      this.#findings.grainOutside(
        guestStart + (grain + present) * grainSize,
        hostOffset + present * grainSize,
        count - present,
      );
    this.isAligned &&= hostOffset % grainSize === 0;
    this.#append(grain, present, ExtentState.data, hostOffset);
  }

  #append(grain: number, count: number, state: ExtentState, hostOffset?: number): void {
    if (this.#findings.broken !== undefined) return;
    const { grainSize, virtualSize } = this.#header;
    const guestOffset = grain * grainSize;
    this.#mapping.append(guestOffset - this.#mapping.end, ExtentState.unallocated);
    this.#mapping.append(Math.min(count * grainSize, virtualSize - guestOffset), state, hostOffset);
  }
}
