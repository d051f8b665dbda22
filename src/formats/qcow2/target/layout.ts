/**
 * Where everything of a qcow2 target lies.
 *
 *   cluster 0     the source's old body                      additiveStart
 *   | header |    data clusters, staying where they are      | L2 ... L2 | L1 | refcount blocks | refcount table |
 *   '- 512 bytes: the commit                                  '- a table only where something is mapped     end -'
 *
 * Nothing below additiveStart is written but the header. What the source used there and the target does not (its
 * tables, its leaks) counts 0: free, never leaked.
 */

import { alignUp, ceilDiv, isAligned, SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { ExtentState, type ExtentTable, NOWHERE } from "../../../image/extent.ts";
import type { FileSpace, Placement } from "../../../image/target.ts";
import type { Chunk, Write } from "../../../image/write.ts";
import { bytesPerL2Table } from "../header/header.ts";
import { maxRefcount } from "../tables/refcount.ts";
import { ClusterUsage } from "./cluster-usage.ts";
import { l1Writes, l2Writes, type MappingTables } from "./mapping-tables.ts";
import { l1EntriesFor, type Qcow2Settings } from "./options.ts";
import { layOutRefcounts, type RefcountLayout, refcountWrites } from "./refcount-layout.ts";

/** Host offsets and sizes in bytes of the file. */
export interface Qcow2Layout extends MappingTables {
  readonly refcounts: RefcountLayout;
  readonly start: number;
  readonly end: number;
  writes(chunk?: Chunk): Iterable<Write>;
}

/**
 * Lays out the tables for `extents` from `space.additiveStart` on.
 * @throws ImageError `out-of-bounds` for extents that a qcow2 of these settings cannot point at.
 */
export function layOut(
  extents: ExtentTable,
  virtualSize: number,
  settings: Qcow2Settings,
  placement: Placement,
  space: FileSpace,
): Qcow2Layout {
  const { clusterSize, refcountBits } = settings;
  const start = space.additiveStart;
  if (!isAligned(start, clusterSize) || start < Math.max(space.oldFileSize, clusterSize)) {
    throw outOfBounds(`new tables can't begin at ${hex(start)}`, { hostOffset: start });
  }
  const claims = new Claims(virtualSize, settings, placement, start);
  for (let row = 0; row < extents.count; row++) claims.add(extents, row);
  claims.finish();
  for (const { start, end } of space.claimed?.each() ?? []) claims.reserve(start, end);

  const { hasL2Table, usage } = claims;
  const l2TableCount = hasL2Table.reduce((count, has) => count + has, 0);
  const l1End = start + (l2TableCount + ceilDiv(hasL2Table.length * 8, clusterSize)) * clusterSize;
  const refcounts = layOutRefcounts(usage, refcountBits, start, l1End);
  usage.proveAlone();

  const layout: Qcow2Layout = {
    clusterSize,
    l1EntryCount: hasL2Table.length,
    hasL2Table,
    l2TableCount,
    l2HostOffset: start,
    l1HostOffset: hasL2Table.length === 0 ? 0 : start + l2TableCount * clusterSize,
    refcounts,
    start,
    end: refcounts.end,
    *writes(chunk) {
      yield* l2Writes(layout, extents, chunk);
      yield* l1Writes(layout);
      yield* refcountWrites(refcounts, usage, chunk);
    },
  };
  return layout;
}

/** One pass over the extents: proves each, counts its clusters, and notes which L2 tables are needed. */
class Claims {
  readonly usage: ClusterUsage;
  readonly hasL2Table: Uint8Array;
  readonly #virtualSize: number;
  readonly #settings: Qcow2Settings;
  readonly #placement: Placement;
  readonly #limit: number;
  #guestEnd = 0;

  constructor(virtualSize: number, settings: Qcow2Settings, placement: Placement, limit: number) {
    this.#virtualSize = virtualSize;
    this.#settings = settings;
    this.#placement = placement;
    this.#limit = limit;
    this.hasL2Table = new Uint8Array(l1EntriesFor(virtualSize, settings.clusterSize));
    this.usage = new ClusterUsage(settings.clusterSize);
    this.usage.own(0, 1);
  }

  add(extents: ExtentTable, row: number): void {
    const { clusterSize } = this.#settings;
    const guestOffset = extents.guestOffset[row] as number;
    const length = extents.length[row] as number;
    const state = extents.state[row] as ExtentState;
    if (guestOffset !== this.#guestEnd || !(length > 0)) throw outOfBounds("the extents leave a gap", { guestOffset });
    if (!isAligned(guestOffset, clusterSize)) throw outOfBounds("an extent begins inside a cluster", { guestOffset });
    this.#guestEnd = guestOffset + length;
    if (state === ExtentState.unallocated) return;

    const perTable = bytesPerL2Table(clusterSize);
    this.hasL2Table.fill(1, Math.floor(guestOffset / perTable), ceilDiv(this.#guestEnd, perTable));
    const hostOffset = extents.hostOffset[row] as number;
    if (state === ExtentState.data) this.#data(guestOffset, hostOffset, length);
    else if (state === ExtentState.compressed) {
      this.#compressed(guestOffset, hostOffset, length, extents.storedLength[row] as number);
    } else if (!this.#placement.hasZeroState || hostOffset !== NOWHERE) {
      throw outOfBounds("zeros can't be stored as such", { guestOffset });
    }
  }

  /** Counts what nobody points at yet: leaks, until units are moved there. The header's own cluster is nobody's to take. */
  reserve(hostOffset: number, hostEnd: number): void {
    const { clusterSize } = this.#settings;
    if (!isAligned(hostOffset, clusterSize) || hostEnd > this.#limit) {
      throw outOfBounds(`places at ${hex(hostOffset)} can't be kept`, { hostOffset });
    }
    for (let cluster = hostOffset / clusterSize; cluster * clusterSize < hostEnd; cluster++) {
      if (this.usage.countOf(cluster) === 0) this.usage.own(cluster, 1);
    }
  }

  finish(): void {
    if (this.#guestEnd === this.#virtualSize) return;
    throw outOfBounds(`the extents end there, the disk at ${hex(this.#virtualSize)}`, { guestOffset: this.#guestEnd });
  }

  #data(guestOffset: number, hostOffset: number, length: number): void {
    const { clusterSize } = this.#settings;
    const hostEnd = hostOffset + alignUp(length, clusterSize);
    if (!isAligned(hostOffset, clusterSize)) {
      throw outOfBounds(`data at ${hex(hostOffset)} is no cluster`, { guestOffset, hostOffset });
    }
    if (hostOffset < clusterSize || hostEnd > this.#limit) {
      throw outOfBounds(`data at ${hex(hostOffset)} lies on the header or on new tables`, { guestOffset, hostOffset });
    }
    this.usage.own(hostOffset / clusterSize, (hostEnd - hostOffset) / clusterSize);
  }

  /** The format counts whole sectors, so the last one is the cluster's too. */
  #compressed(guestOffset: number, hostOffset: number, length: number, storedLength: number): void {
    const { clusterSize, refcountBits } = this.#settings;
    const clusterBits = Math.log2(clusterSize);
    const hostEnd = alignUp(hostOffset + storedLength, SECTOR_SIZE);
    const isWhole = length === clusterSize || this.#guestEnd === this.#virtualSize;
    if (this.#placement.compressed === undefined || !isWhole || length > clusterSize || !(storedLength > 0)) {
      throw outOfBounds("a compressed cluster can't stay", { guestOffset, hostOffset });
    }
    if (hostOffset < clusterSize || hostEnd > this.#limit || hostOffset >= 2 ** (70 - clusterBits)) {
      throw outOfBounds(`compressed data at ${hex(hostOffset)} is out of reach`, { guestOffset, hostOffset });
    }
    const sectorCount = (hostEnd - hostOffset + (hostOffset % SECTOR_SIZE)) / SECTOR_SIZE;
    if (sectorCount > 2 ** (clusterBits - 8)) {
      throw outOfBounds(`compressed data of ${storedLength} bytes is too long`, { guestOffset, hostOffset });
    }
    if (this.usage.share(hostOffset, hostEnd) > maxRefcount(refcountBits)) {
      throw outOfBounds(`refcounts of ${refcountBits} bits are too narrow`, { guestOffset, hostOffset });
    }
  }
}

function outOfBounds(what: string, place: { readonly guestOffset?: number; readonly hostOffset?: number }): ImageError {
  const where = place.guestOffset === undefined ? "" : ` guest offset ${hex(place.guestOffset)}`;
  return new ImageError("out-of-bounds", `Cannot map${where} to qcow2: ${what}`, {
    format: "qcow2",
    structure: "mapping",
    ...place,
  });
}
