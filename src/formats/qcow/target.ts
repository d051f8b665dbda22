/** qcow as a target: what it can hold, where its tables go, and the sector that commits (the last three of the five verbs). */

import { alignUp, isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { placeBackingName, putNameInSector } from "../../image/backing-name.ts";
import { ExtentState, type ExtentTable, eachExtent, isStored } from "../../image/extent.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { Commit, Draft, MappedDraft, Placement, TargetDriver } from "../../image/target.ts";
import { longestStream, streamLimit } from "./entry.ts";
import { MAX_CLUSTER_BITS, QCOW_MAGIC, QcowHeaderFields } from "./header.ts";
import { layOut, type QcowLayout, tableWrites } from "./layout.ts";
import { Owner, UsedPlaces } from "./places.ts";
import { chooseGeometry, judgeSource, QCOW_OPTIONS } from "./rules.ts";

interface MappedQcowDraft extends MappedDraft {
  readonly layout: QcowLayout;
}

export const qcowTarget: TargetDriver = {
  options: QCOW_OPTIONS,
  countsReferences: false,
  leavesLeaks: true,
  optionsForUnits: (unitSize) => (unitSize < 2 ** MAX_CLUSTER_BITS ? { cluster_size: `${unitSize}` } : {}),

  openConversionTarget(source, options, drop): Draft {
    const geometry = chooseGeometry(source, options, source.creationOptions);
    const { clusterSize, l2Bits } = geometry;
    return {
      format: "qcow",
      virtualSize: source.virtualSize,
      clusterSize,
      placement: placementFor(source, clusterSize),
      options: { cluster_size: clusterSize, l2_bits: l2Bits },
      ...judgeSource(source, geometry, drop),
    };
  },

  map(draft, extents, space): MappedQcowDraft {
    const { additiveStart, oldFileSize } = space;
    if (!isAligned(additiveStart, draft.clusterSize) || additiveStart < Math.max(oldFileSize, SECTOR_SIZE)) {
      throw outOfBounds(`new tables can't begin at host offset ${hex(additiveStart)}`);
    }
    proveExtents(draft, extents, additiveStart);
    const layout = layOut(extents, draft.virtualSize, chooseGeometry(draft, draft.options), additiveStart);
    return {
      ...draft,
      extents,
      layout,
      fileSize: layout.end,
      metadataBytes: layout.end - layout.hostOffset,
      settling: { bytesMoved: 0, bytesWritten: 0, fileSize: layout.end },
      additiveWrites: (chunk) => tableWrites(layout, extents, chunk),
    };
  },

  copyHeader: (draft, source, oldHeader, usedHeader) =>
    copyHeader(draft as MappedQcowDraft, source, oldHeader, usedHeader),
};

function placementFor({ clusterSize: sourceSize, compression }: ConversionOptions, clusterSize: number): Placement {
  return {
    unitSize: clusterSize,
    hostAlignment: SECTOR_SIZE,
    reserved: RangeSet.of({ start: 0, end: SECTOR_SIZE }),
    // It can't be said at all: over a backing file zeros are stored.
    hasZeroState: false,
    compressed:
      compression === "zlib" && sourceSize === clusterSize
        ? { clusterSize, method: compression, maxStored: longestStream(clusterSize) }
        : undefined,
  };
}

/** Proves alignment, bounds and that no place is used twice; what streams are counted by may go on into the next one. */
function proveExtents({ clusterSize, virtualSize }: Draft, extents: ExtentTable, limit: number): void {
  const used = new UsedPlaces();
  used.add(0, SECTOR_SIZE, Owner.header);
  let guestEnd = 0;
  for (const { guestOffset, hostOffset, length, state, storedLength } of eachExtent(extents)) {
    if (guestOffset !== guestEnd || !isAligned(guestOffset, clusterSize)) {
      throw outOfBounds("an extent begins inside a cluster, or leaves a gap", guestOffset);
    }
    guestEnd += length;
    if (!isStored(state)) {
      if (state === ExtentState.zero) throw outOfBounds("zeros can't be stored as such", guestOffset);
      continue;
    }
    const isStream = state === ExtentState.compressed;
    const hostEnd = hostOffset + (isStream ? storedLength : alignUp(length, clusterSize));
    if (hostOffset < SECTOR_SIZE || hostEnd > limit || (!isStream && !isAligned(hostOffset, SECTOR_SIZE))) {
      throw outOfBounds(`host offset ${hex(hostOffset)} is out of reach`, guestOffset, hostOffset);
    }
    if (isStream) {
      const isWhole = length === clusterSize || (guestEnd === virtualSize && length < clusterSize);
      const isTellable = storedLength > 0 && storedLength <= longestStream(clusterSize);
      if (!isWhole || !isTellable || hostOffset >= streamLimit(Math.log2(clusterSize))) {
        throw outOfBounds("a compressed cluster can't stay", guestOffset, hostOffset);
      }
    }
    used.add(hostOffset, hostEnd, isStream ? Owner.ofStream(guestOffset) : guestOffset);
  }
  if (guestEnd !== virtualSize) throw outOfBounds(`the extents end there, the disk at ${hex(virtualSize)}`, guestEnd);
  for (const { hostOffset } of used.overlaps()) throw outOfBounds(`host offset ${hex(hostOffset)} is used twice`);
}

function copyHeader(
  { clusterSize, virtualSize, layout }: MappedQcowDraft,
  { backing }: ConversionOptions,
  oldHeader: Uint8Array,
  usedHeader: RangeSet,
): Commit {
  const sector = new Uint8Array(SECTOR_SIZE);
  const places = { start: QcowHeaderFields.size, limit: oldHeader.length, alignment: 1, oldHeader, usedHeader };
  const place = backing && placeBackingName(backing, places);
  if (backing && !place) {
    throw new ImageError("unsupported", `Cannot store the backing name of ${backing.nameBytes.length} bytes`, {
      because: `the first ${oldHeader.length} bytes have no room for it`,
      remedy: "rebase to a shorter name",
      format: "qcow",
      structure: "backing name",
    });
  }
  if (backing && place) putNameInSector(sector, backing, place.hostOffset);
  QcowHeaderFields.encode(
    {
      magic: QCOW_MAGIC,
      version: 1,
      backingNameOffset: place?.hostOffset ?? 0,
      backingNameSize: backing?.nameBytes.length ?? 0,
      modifiedAt: 0,
      size: { high: Math.floor(virtualSize / 2 ** 32), low: virtualSize % 2 ** 32 },
      clusterBits: Math.log2(clusterSize),
      l2Bits: layout.geometry.l2Bits,
      padding: 0,
      cryptMethod: 0,
      l1TableOffset: layout.l1Offset,
    },
    sector,
  );
  const isApart = backing && place && !place.isStored;
  return {
    kind: "sector",
    hostOffset: 0,
    sector,
    extras: isApart ? [{ hostOffset: place.hostOffset, bytes: backing.nameBytes }] : [],
  };
}

function outOfBounds(what: string, guestOffset?: number, hostOffset?: number): ImageError {
  const where = guestOffset === undefined ? "" : ` guest offset ${hex(guestOffset)}`;
  return new ImageError("out-of-bounds", `Cannot map${where} to qcow: ${what}`, {
    format: "qcow",
    structure: "mapping",
    guestOffset,
    hostOffset,
  });
}
