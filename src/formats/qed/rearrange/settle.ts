/**
 * Settling: a QED file gives up what nothing refers to and ends at N = H + D + T clusters, its tables at N - T.
 *
 *   as found    | header | data, holes          | data ...  | holes, tables anywhere ... |
 *   1 fill      | header | data, copies in holes| data ...  | tables                     |   nothing points at a copy yet
 *   2 re-point  | header | data                 | (leaks)   | tables                     |   old places are free
 *   3 tables    | header | data                 | final L2s L1 | (leaks)  tables         |   nothing points at them yet
 *   4 switch    | header | data                 | final L2s L1 | (leaks)                 |   one sector: the L1 offset
 *   5 truncate  | header | data                 | final L2s L1 |
 *               0        H                     N-T             N
 *
 * Each arrow is a barrier and each state a valid image with the same guest and leaks at most. Live tables in the way
 * of the data or the final tables are copied past the end first. Tables that lie wholly below N, as those of a file
 * that QEMU made, stay: then only data past N moves.
 */

import { alignUp, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { Bitmap } from "../../../bytes/bitmap.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import { hasFlag } from "../../../bytes/struct.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import type { SettlingForecast } from "../../../image/target.ts";
import type { Epoch, HostCopy, Rearrangement, Write } from "../../../image/write.ts";
import type { Storage } from "../../../storage/storage.ts";
import { ENTRY_SIZE, QedFeature, type QedHeader } from "../header/header.ts";
import { entryRuns } from "../tables/entry-encoder.ts";
import {
  l1OffsetOf,
  layoutEnd,
  type TableLayout,
  tableClusterCount,
  tableLayout,
  tableWrites,
} from "../tables/layout.ts";
import { hostCopies, type Relocation, relocate } from "../tables/relocation.ts";
import { brokenMapping } from "../tables/table-findings.ts";
import type { TableScan } from "../tables/table-scan.ts";
import { type CleanHeader, cleaningWrites, readCleanHeader, withL1Offset } from "./header-cleanup.ts";
import { inParts, repointingWrites, staleSectors } from "./repoint.ts";

/** Throws ImageError `corrupt` for an image that is not clean but for leaks. */
export async function planSettling(storage: Storage, header: QedHeader, scan: TableScan): Promise<Rearrangement> {
  refuseUnclean(storage, header, scan);
  return new Settling(header, scan, scan.mapping as ExtentTable, await readCleanHeader(storage, header)).plan();
}

/**
 * What settling will do with a target just switched to: header and data below, tables at or past N as `layout` says.
 * Stale bytes of the old header, at most one cluster, are not counted.
 */
export function forecastSettling(extents: ExtentTable, references: Bitmap, layout: TableLayout): SettlingForecast {
  const { clusterSize } = layout;
  const firstTable = references.markedCount;
  const tableBytes = layoutEnd(layout) - layout.hostOffset;
  const finalCount = firstTable + tableBytes / clusterSize;
  const relocation = relocate(extents, clusterSize, references, 0, firstTable);
  const repointed = staleSectors(extents, clusterSize, relocation, finalCount).total * ENTRY_SIZE;
  return {
    bytesMoved: relocation.movedCount * clusterSize,
    bytesWritten: tableBytes + SECTOR_SIZE + repointed,
    fileSize: finalCount * clusterSize,
  };
}

function refuseUnclean(storage: Storage, header: QedHeader, scan: TableScan): void {
  if (hasFlag(header.values.features, QedFeature.needCheck)) {
    throw new ImageError("corrupt", "Cannot settle the image", {
      because: "it is marked NEED_CHECK",
      remedy: "repair it first",
      format: "qed",
      path: storage.path,
      structure: "QED header",
    });
  }
  if (scan.broken !== undefined) throw brokenMapping(scan.broken, storage.path);
  const [first] = scan.findings.findings;
  if (first === undefined) return;
  throw new ImageError("corrupt", "Cannot settle the image", {
    because: first.message,
    remedy: "repair it first",
    format: "qed",
    path: storage.path,
    structure: first.structure,
    hostOffset: first.hostOffset,
  });
}

/** Entries re-pointed at once: 32 MiB of them, which the verification holds in memory. */
const MAX_REPOINTED = 4 * MiB;

class Settling {
  readonly #header: QedHeader;
  readonly #scan: TableScan;
  readonly #extents: ExtentTable;
  readonly #clean: CleanHeader;
  readonly #epochs: Epoch[] = [];
  #bytesWritten = 0;

  constructor(header: QedHeader, scan: TableScan, extents: ExtentTable, clean: CleanHeader) {
    this.#header = header;
    this.#scan = scan;
    this.#extents = extents;
    this.#clean = clean;
  }

  plan(): Rearrangement {
    const { clusterSize, tableBytes, headerBytes, fileSize } = this.#header;
    const { references, neededL2Indexes, dataCount } = this.#scan;
    const headerSize = headerBytes / clusterSize;
    const tableSize = tableBytes / clusterSize;
    const tableCount = tableClusterCount(tableSize, neededL2Indexes.length);
    const finalCount = headerSize + dataCount + tableCount;
    const finalTables = tableLayout(clusterSize, tableSize, neededL2Indexes, (finalCount - tableCount) * clusterSize);

    let movedCount = 0;
    if (this.#tablesMayStay(finalCount)) {
      const relocation = relocate(this.#extents, clusterSize, references, headerSize, finalCount);
      movedCount = relocation.movedCount;
      this.#fill(relocation);
      this.#repoint(relocation, this.#liveTables(), references.markedEnd);
    } else {
      const inTheWay = !this.#tablesLiePast(finalCount);
      const liveTables = inTheWay ? this.#copyTablesPast(finalCount, finalTables) : this.#liveTables();
      const firstTable = headerSize + dataCount;
      // Whoever keeps out of the way leaves just as many holes below the final tables as data lies above.
      const occupied = inTheWay ? dataReferences(this.#extents, this.#header) : references;
      const relocation = relocate(this.#extents, clusterSize, occupied, headerSize, firstTable);
      movedCount = relocation.movedCount;
      const final = () => tableWrites(finalTables, entryRuns(this.#extents, clusterSize, relocation));
      if (movedCount === 0) this.#writeTables("write the final tables", finalTables, final);
      else if (relocation.fromClusters.some((from) => from < finalCount)) {
        this.#fill(relocation);
        this.#repoint(relocation, liveTables, finalCount);
        this.#writeTables("write the final tables", finalTables, final);
      } else {
        // No data lies where the final tables will: they and the copies need no barrier between them.
        const purpose = "copy data into the holes, write the final tables";
        this.#writeTables(purpose, finalTables, final, { hostCopies: hostCopies(relocation, clusterSize) });
      }
      this.#switchTo(finalTables);
    }
    const finalSize = finalCount * clusterSize;
    const sizeNow = this.#epochs.findLast((epoch) => epoch.fileSize !== undefined)?.fileSize ?? fileSize;
    if (sizeNow !== finalSize) this.#epochs.push({ purpose: "truncate the file", fileSize: finalSize });
    this.#cleanHeader();
    return {
      epochs: this.#epochs,
      fileSize: finalSize,
      bytesMoved: movedCount * clusterSize,
      bytesWritten: this.#bytesWritten,
    };
  }

  /** True where the live tables are just those needed and none reaches past the settled end. */
  #tablesMayStay(finalCount: number): boolean {
    const { clusterSize, tableBytes, l1Offset } = this.#header;
    const { l2Tables, neededL2Indexes, beyondCount } = this.#scan;
    const end = finalCount * clusterSize;
    return (
      beyondCount === 0 &&
      l2Tables.length === neededL2Indexes.length &&
      l1Offset + tableBytes <= end &&
      l2Tables.every((table) => table.hostOffset + tableBytes <= end)
    );
  }

  /** True where no table, nor data that the final tables leave out, lies below the settled end. */
  #tablesLiePast(finalCount: number): boolean {
    const { clusterSize, l1Offset } = this.#header;
    const end = finalCount * clusterSize;
    const { l2Tables, beyondCount } = this.#scan;
    return beyondCount === 0 && l1Offset >= end && l2Tables.every((table) => table.hostOffset >= end);
  }

  #liveTables(): ReadonlyMap<number, number> {
    return new Map(this.#scan.l2Tables.map((table) => [table.l1Index, table.hostOffset]));
  }

  /** An epoch of its own: what rewrites the header is verified before it is written. */
  #cleanHeader(): void {
    const byteCount = this.#clean.staleRanges.total + (this.#clean.sectorIsStale ? SECTOR_SIZE : 0);
    if (byteCount === 0) return;
    this.#bytesWritten += byteCount;
    const writes = () => cleaningWrites(this.#clean);
    this.#epochs.unshift({ purpose: "zero the stale bytes of the header", repoints: true, writes });
  }

  /** A full copy of the tables where nothing is in use, and the switch to it. Returns where they are then. */
  #copyTablesPast(finalCount: number, finalTables: TableLayout): ReadonlyMap<number, number> {
    const { clusterSize, fileSize } = this.#header;
    const { tableSize, l2Indexes } = finalTables;
    const start = Math.max(finalCount, this.#scan.references.markedEnd) * clusterSize;
    const copy = tableLayout(clusterSize, tableSize, l2Indexes, start);
    const writes = () => tableWrites(copy, entryRuns(this.#extents, clusterSize));
    const grownSize = Math.max(layoutEnd(copy), alignUp(fileSize, clusterSize));
    this.#writeTables("copy the tables past the end", copy, writes, { fileSize: grownSize });
    this.#switchTo(copy);
    return new Map(l2Indexes.map((l1Index, ordinal) => [l1Index, start + ordinal * tableSize * clusterSize]));
  }

  #writeTables(
    purpose: string,
    layout: TableLayout,
    writes: () => Iterable<Write>,
    more: { readonly hostCopies?: Iterable<HostCopy>; readonly fileSize?: number } = {},
  ): void {
    this.#bytesWritten += layoutEnd(layout) - layout.hostOffset;
    this.#epochs.push({ purpose, ...more, writes });
  }

  #switchTo(layout: TableLayout): void {
    const sector = withL1Offset(this.#clean.sector, l1OffsetOf(layout));
    this.#bytesWritten += SECTOR_SIZE;
    const writes = () => [{ hostOffset: 0, bytes: sector }];
    this.#epochs.push({ purpose: "switch to the new tables", repoints: true, writes });
  }

  #fill(relocation: Relocation): void {
    if (relocation.movedCount === 0) return;
    this.#epochs.push({
      purpose: "copy data into the holes",
      hostCopies: hostCopies(relocation, this.#header.clusterSize),
    });
  }

  /** Re-points, in the live tables, the entries of what moved away from below `endCluster`; whole sectors of them. */
  #repoint(relocation: Relocation, liveTables: ReadonlyMap<number, number>, endCluster: number): void {
    const { clusterSize, entryCount } = this.#header;
    const stale = staleSectors(this.#extents, clusterSize, relocation, endCluster);
    if (stale.total === 0) return;
    this.#bytesWritten += stale.total * ENTRY_SIZE;
    const runs = () => entryRuns(this.#extents, clusterSize, relocation);
    for (const part of inParts(stale, MAX_REPOINTED)) {
      this.#epochs.push({
        purpose: "re-point the moved data",
        repoints: true,
        writes: () => repointingWrites(part, runs(), liveTables, clusterSize, entryCount),
      });
    }
  }
}

/** Bits of the data clusters alone: what stays in use once the tables lie elsewhere. */
function dataReferences(extents: ExtentTable, { clusterCount, clusterSize }: QedHeader): Bitmap {
  const references = new Bitmap(clusterCount);
  for (const { hostCluster, count } of entryRuns(extents, clusterSize)) {
    if (hostCluster >= 0) references.mark(hostCluster, count);
  }
  return references;
}
