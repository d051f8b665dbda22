/** `copyHeader` for QED: the one sector that makes the file a QED image, and where its backing name lies. */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import type { RangeSet } from "../../../bytes/range-set.ts";
import { flagsOf, NO_FLAGS } from "../../../bytes/struct.ts";
import { placeBackingName, putNameInSector } from "../../../image/backing-name.ts";
import type { BackingFile, ConversionOptions } from "../../../image/source.ts";
import type { Commit, MappedDraft } from "../../../image/target.ts";
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
  return { kind: "sector", hostOffset: 0, sector, extras: placed?.extras ?? [] };
}

function featuresFor(backing: BackingFile | undefined) {
  if (backing === undefined) return NO_FLAGS;
  if (backing.format === undefined) return flagsOf(QedFeature.backingFile);
  return flagsOf(QedFeature.backingFile, QedFeature.backingFormatNoProbe);
}

function placeName(
  backing: BackingFile,
  clusterSize: number,
  sector: Uint8Array,
  oldHeader: Uint8Array,
  usedHeader: RangeSet,
): { readonly hostOffset: number; readonly extras: readonly Write[] } {
  const { nameBytes } = backing;
  const start = QedHeaderFields.size;
  const places = { start, limit: clusterSize, alignment: SECTOR_SIZE, oldHeader, usedHeader };
  const place = placeBackingName(backing, places);
  if (place === undefined) {
    throw new ImageError("unsupported", `Cannot store the backing name of ${nameBytes.length} bytes`, {
      because: "the header cluster has no room for it",
      remedy: "rebase to a shorter name",
      format: "qed",
      structure: "backing name",
    });
  }
  const { hostOffset, isStored } = place;
  putNameInSector(sector, backing, hostOffset);
  return { hostOffset, extras: isStored ? [] : [{ hostOffset, bytes: nameBytes }] };
}
