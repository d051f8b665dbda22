/**
 * The commit: the one sector that makes the file a qcow2 (docs/interop/qcow2.txt, "Header").
 *
 *   0            72 or 112                    512                              cluster size
 *   | header     | backing format, end | name | the source's header bytes ...           |
 *                                       '- or, when it is too long for the sector, in bytes that nobody uses -'
 */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import type { RangeSet } from "../../../bytes/range-set.ts";
import { flagsOf, NO_FLAGS } from "../../../bytes/struct.ts";
import { type NamePlace, placeBackingName, putNameInSector } from "../../../image/backing-name.ts";
import type { BackingFile } from "../../../image/source.ts";
import type { Commit } from "../../../image/target.ts";
import { ExtensionType, encodeHeaderExtensions } from "../header/extensions.ts";
import {
  CompatibleBit,
  IncompatibleBit,
  QCOW2_MAGIC,
  Qcow2CompressionField,
  Qcow2HeaderV2,
  Qcow2HeaderV3,
  V3_HEADER_LENGTH,
} from "../header/fields.ts";
import type { Qcow2Layout } from "./layout.ts";
import type { Qcow2Settings } from "./options.ts";

export interface TargetHeader {
  readonly settings: Qcow2Settings;
  readonly virtualSize: number;
  readonly layout: Qcow2Layout;
  readonly backing: BackingFile | undefined;
}

/** Encodes the header and finds a place for the backing name; throws ImageError `unsupported` where there is none. */
export function encodeCommit(target: TargetHeader, oldHeader: Uint8Array, usedHeader: RangeSet): Commit {
  const sector = new Uint8Array(SECTOR_SIZE);
  const { settings, backing } = target;
  const headerLength = settings.compat === "0.10" ? Qcow2HeaderV2.size : V3_HEADER_LENGTH;
  const extensions = encodeExtensions(backing);
  const nameStart = headerLength + extensions.length;
  sector.set(extensions, headerLength);
  if (backing === undefined) {
    encodeFields(target, 0, sector);
    return { kind: "sector", hostOffset: 0, sector, extras: [] };
  }
  const { hostOffset, isStored } = placeName(backing, nameStart, settings.clusterSize, oldHeader, usedHeader);
  putNameInSector(sector, backing, hostOffset);
  encodeFields(target, hostOffset, sector);
  const extras = isStored ? [] : [{ hostOffset, bytes: backing.nameBytes.slice() }];
  return { kind: "sector", hostOffset: 0, sector, extras };
}

/** Bytes before the backing name at the least, and the name: what a first cluster must hold. */
export function minHeaderSize(settings: Qcow2Settings, backing: BackingFile): number {
  const headerLength = settings.compat === "0.10" ? Qcow2HeaderV2.size : V3_HEADER_LENGTH;
  return headerLength + encodeExtensions(backing).length + backing.nameBytes.length;
}

function encodeExtensions(backing: BackingFile | undefined): Uint8Array {
  if (backing?.format === undefined) return encodeHeaderExtensions([]);
  const data = new TextEncoder().encode(backing.format);
  return encodeHeaderExtensions([{ type: ExtensionType.backingFormat, data }]);
}

function placeName(
  backing: BackingFile,
  start: number,
  clusterSize: number,
  oldHeader: Uint8Array,
  usedHeader: RangeSet,
): NamePlace {
  const limit = Math.min(clusterSize, oldHeader.length);
  const place = placeBackingName(backing, { start, limit, alignment: 1, oldHeader, usedHeader });
  if (place !== undefined) return place;
  throw new ImageError("unsupported", "Cannot write the qcow2 header", {
    because: `the first ${limit} bytes have no room for a backing file name of ${backing.nameBytes.length} bytes`,
    remedy: "rebase the image to a shorter name first",
    format: "qcow2",
    structure: "header",
    hostOffset: SECTOR_SIZE,
    operation: "plan",
  });
}

function encodeFields(target: TargetHeader, nameHostOffset: number, sector: Uint8Array): void {
  const { settings, layout, backing } = target;
  Qcow2HeaderV2.encode(
    {
      magic: QCOW2_MAGIC,
      version: settings.compat === "0.10" ? 2 : 3,
      backingFileOffset: nameHostOffset,
      backingFileSize: nameHostOffset === 0 ? 0 : (backing?.nameBytes.length ?? 0),
      clusterBits: Math.log2(settings.clusterSize),
      size: target.virtualSize,
      cryptMethod: 0,
      l1Size: layout.l1EntryCount,
      l1TableOffset: layout.l1HostOffset,
      refcountTableOffset: layout.refcounts.tableHostOffset,
      refcountTableClusters: layout.refcounts.tableClusterCount,
      snapshotCount: 0,
      snapshotsOffset: 0,
    },
    sector,
  );
  if (settings.compat === "0.10") return;
  const isZstd = settings.compression === "zstd";
  Qcow2HeaderV3.encode(
    {
      incompatibleFeatures: isZstd ? flagsOf(IncompatibleBit.compression) : NO_FLAGS,
      compatibleFeatures: settings.lazyRefcounts ? flagsOf(CompatibleBit.lazyRefcounts) : NO_FLAGS,
      autoclearFeatures: NO_FLAGS,
      refcountOrder: Math.log2(settings.refcountBits),
      headerLength: V3_HEADER_LENGTH,
    },
    sector,
  );
  Qcow2CompressionField.encode({ compressionType: isZstd ? 1 : 0, padding: new Uint8Array(7) }, sector);
}
