/** `copyHeader` for QED: the one sector that makes the file a QED image, and where its backing name lies. */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import type { RangeSet } from "../../../bytes/range-set.ts";
import { flagsOf, NO_FLAGS } from "../../../bytes/struct.ts";
import type { BackingFile, Commit, ConversionOptions, MappedDraft } from "../../../image/driver.ts";
import type { Write } from "../../../image/write.ts";
import { QED_MAGIC, QedFeature, QedHeaderFields } from "../header/header.ts";
import { l1OffsetOf, type TableLayout } from "../tables/layout.ts";

export interface MappedQedDraft extends MappedDraft {
  readonly layout: TableLayout;
}

export function copyHeader(
  draft: MappedQedDraft,
  source: ConversionOptions,
  oldHeader: Uint8Array,
  usedHeader: RangeSet,
): Commit {
  const { clusterSize, virtualSize, layout } = draft;
  const sector = new Uint8Array(SECTOR_SIZE);
  const { backing } = source;
  const placed = backing === undefined ? undefined : placeName(backing, clusterSize, sector, oldHeader, usedHeader);
  QedHeaderFields.encode(
    {
      magic: QED_MAGIC,
      clusterSize,
      tableSize: layout.tableSize,
      headerSize: 1,
      features: featuresFor(backing),
      compatibleFeatures: NO_FLAGS,
      autoclearFeatures: NO_FLAGS,
      l1TableOffset: l1OffsetOf(layout),
      imageSize: virtualSize,
      backingNameOffset: placed?.hostOffset ?? 0,
      backingNameSize: backing?.nameBytes.length ?? 0,
    },
    sector,
  );
  return { extras: placed?.extras ?? [], sector };
}

function featuresFor(backing: BackingFile | undefined) {
  if (backing === undefined) return NO_FLAGS;
  if (backing.format === undefined) return flagsOf(QedFeature.backingFile);
  return flagsOf(QedFeature.backingFile, QedFeature.backingFormatNoProbe);
}

/**
 * In the sector itself where it fits; else where the source's own name lies already; else in sectors of the header
 * cluster past all that the source uses before them.
 */
function placeName(
  { nameBytes, hostOffset: storedAt }: BackingFile,
  clusterSize: number,
  sector: Uint8Array,
  oldHeader: Uint8Array,
  usedHeader: RangeSet,
): { readonly hostOffset: number; readonly extras: readonly Write[] } {
  const firstFree = QedHeaderFields.size;
  if (nameBytes.length <= SECTOR_SIZE - firstFree) {
    sector.set(nameBytes, firstFree);
    return { hostOffset: firstFree, extras: [] };
  }
  const isStored = nameBytes.every((byte, at) => oldHeader[storedAt + at] === byte);
  if (isStored && storedAt >= firstFree && storedAt + nameBytes.length <= clusterSize) {
    if (storedAt < SECTOR_SIZE) sector.set(oldHeader.subarray(storedAt, SECTOR_SIZE), storedAt);
    return { hostOffset: storedAt, extras: [] };
  }
  let hostOffset = SECTOR_SIZE;
  for (const { start, end } of usedHeader.each()) {
    if (start >= hostOffset + nameBytes.length) break;
    hostOffset = Math.max(hostOffset, alignUp(end, SECTOR_SIZE));
  }
  if (hostOffset + nameBytes.length > clusterSize) {
    throw new ImageError("unsupported", `Cannot store the backing name of ${nameBytes.length} bytes`, {
      because: "the header cluster has no room for it",
      remedy: "rebase to a shorter name",
      format: "qed",
      structure: "backing name",
    });
  }
  return { hostOffset, extras: [{ hostOffset, bytes: nameBytes }] };
}
