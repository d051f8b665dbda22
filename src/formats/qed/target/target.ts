/** The QED target: `openConversionTarget` and `map` of the letter's five verbs (layout.ts draws the result). */

import { alignUp } from "../../../bytes/align.ts";
import { Bitmap } from "../../../bytes/bitmap.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, extentAt } from "../../../image/extent.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Draft, FileSpace, TargetDriver } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { MAX_CLUSTER_COUNT } from "../header/header.ts";
import { forecastSettling } from "../rearrange/settle.ts";
import { entryRuns } from "../tables/entry-encoder.ts";
import { layoutEnd, neededL2Indexes, tableClusterCount, tableLayout, tableWrites } from "../tables/layout.ts";
import { copyHeader, type MappedQedDraft } from "./header.ts";
import { chooseGeometry, judgeSource, QED_TARGET_OPTIONS } from "./rules.ts";

/** Clusters of the header that we write. */
const HEADER_SIZE = 1;

export const qedTarget: TargetDriver = {
  options: QED_TARGET_OPTIONS,
  countsReferences: false,
  openConversionTarget,
  map,
  copyHeader: (draft, source, oldHeader, usedHeader) =>
    copyHeader(draft as MappedQedDraft, source, oldHeader, usedHeader),
};

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  const geometry = chooseGeometry(source, options);
  const { clusterSize, tableSize } = geometry;
  return {
    format: "qed",
    virtualSize: source.virtualSize,
    clusterSize,
    placement: {
      unitSize: clusterSize,
      hostAlignment: clusterSize,
      reserved: RangeSet.of({ start: 0, end: HEADER_SIZE * clusterSize }),
      // QEMU fills the rest of a partly written zero cluster from the backing file: there only stored zeros are safe.
      hasZeroState: source.backing === undefined,
      compressed: undefined,
    },
    options: { cluster_size: clusterSize, table_size: tableSize },
    ...judgeSource(source, geometry, drop),
  };
}

function map(draft: Draft, extents: ExtentTable, space: FileSpace): MappedQedDraft {
  const { clusterSize } = draft;
  const tableSize = draft.options.table_size as number;
  const { entryCount } = tableLayout(clusterSize, tableSize, [], 0);
  const l2Indexes = neededL2Indexes(extents, clusterSize, entryCount);
  const references = proveExtents(draft, extents, space);
  const settledCount = references.markedCount + tableClusterCount(tableSize, l2Indexes.length);
  const hostOffset = Math.max(space.additiveStart, settledCount * clusterSize);
  const layout = tableLayout(clusterSize, tableSize, l2Indexes, hostOffset);
  const fileSize = layoutEnd(layout);
  return {
    ...draft,
    extents,
    layout,
    fileSize,
    metadataBytes: fileSize - layout.hostOffset,
    settling: forecastSettling(extents, references, layout),
    additiveWrites: () => tableWrites(layout, entryRuns(extents, clusterSize)),
  };
}

/** Proves alignment, bounds and that no cluster is used twice; returns the clusters of header and data. */
function proveExtents(draft: Draft, extents: ExtentTable, space: FileSpace): Bitmap {
  const { clusterSize, virtualSize } = draft;
  const { additiveStart } = space;
  if (additiveStart % clusterSize !== 0 || additiveStart < Math.max(clusterSize, space.oldFileSize)) {
    throw refusal(`Cannot put tables at host offset ${hex(additiveStart)}: it is below the file's end or not aligned`);
  }
  const clusterCount = additiveStart / clusterSize;
  if (clusterCount > MAX_CLUSTER_COUNT) {
    throw refusal(`Cannot map a file of ${counted(clusterCount, "cluster")}: use a larger cluster_size`);
  }
  const used = new Bitmap(clusterCount);
  used.mark(0, HEADER_SIZE);
  let end = 0;
  for (let row = 0; row < extents.count; row++) {
    const { guestOffset, hostOffset, length, state } = extentAt(extents, row);
    const refuse = (why: string) =>
      refusal(`Cannot map guest offset ${hex(guestOffset)}${why}`, guestOffset, hostOffset);
    if (guestOffset !== end) throw refuse(`: the extent before it ends at ${hex(end)}`);
    end += length;
    if (guestOffset % clusterSize !== 0) throw refuse(`: it is no multiple of the cluster size ${clusterSize}`);
    if (state === ExtentState.compressed) throw refuse(": QED holds no compressed data");
    if (state !== ExtentState.data) continue;
    if (hostOffset < 0 || hostOffset % clusterSize !== 0) {
      throw refuse(` to host offset ${hex(hostOffset)}: it is no multiple of ${clusterSize}`);
    }
    const count = alignUp(length, clusterSize) / clusterSize;
    if (hostOffset + count * clusterSize > additiveStart) {
      throw refuse(` to host offset ${hex(hostOffset)}: its end lies in the new tables`);
    }
    if (used.mark(hostOffset / clusterSize, count) > 0) {
      throw refuse(` to host offset ${hex(hostOffset)}: it lies in the header or is used twice`);
    }
  }
  if (end !== virtualSize)
    throw refusal(`Cannot map the disk: the extents end at ${hex(end)}, not at ${hex(virtualSize)}`);
  return used;
}

function refusal(message: string, guestOffset?: number, hostOffset?: number): ImageError {
  return new ImageError("out-of-bounds", message, { format: "qed", structure: "mapping", guestOffset, hostOffset });
}
