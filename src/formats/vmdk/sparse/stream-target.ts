/**
 * The streamOptimized target: its grains, tables and footer lie where they will when it is switched to, packed there inside the
 * image before (stream-form.ts). The header says where the directory is until the file has been cut behind the footer.
 */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, eachExtent, isStored } from "../../../image/extent.ts";
import type { PackedFile } from "../../../image/pack-form.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { StreamEnd, StreamMaker } from "../../../image/stream-maker.ts";
import type { Commit, Draft, FileSpace, GuestMaterial, MappedDraft } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { ADAPTER_OPTION, type Adapter, freshDescriptor, STREAM_KIND } from "../fresh-descriptor.ts";
import { ownName, sparseDraft } from "./draft.ts";
import { STREAM_GRAIN, STREAM_START, storedTablesOf, streamForm, streamHeader, streamPlaces } from "./stream-form.ts";

interface StreamDraft extends MappedDraft {
  readonly directory: number;
}

export const streamTarget = { form: streamForm, openConversionTarget, map, copyHeader };

export const streamMaker: StreamMaker = {
  options: [ADAPTER_OPTION],
  form: streamForm,
  draft: draftAt,
  front: (virtualSize, { adapter_type = "ide" }, file) => {
    const front = frontOf(virtualSize, adapter_type as Adapter, file);
    front.set(streamHeader(virtualSize, undefined));
    return front;
  },
  endOf: (extents, virtualSize, base) => {
    const { end, unitsEnd } = placesOf(extents, virtualSize, base);
    return { end, unitsEnd };
  },
};

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  return draftAt(source, options, drop, 0);
}

function draftAt(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
  base: number,
): Draft {
  return {
    ...sparseDraft(source, { ...options, subformat: STREAM_KIND.createType }, drop),
    clusterSize: STREAM_GRAIN,
    placement: {
      unitSize: STREAM_GRAIN,
      hostAlignment: SECTOR_SIZE,
      reserved: RangeSet.of({ start: 0, end: base + STREAM_START }),
      hasZeroState: false,
      compressed: { clusterSize: STREAM_GRAIN, method: "zlib" },
    },
  };
}

/** Throws ImageError where a grain does not lie as a stream's do: nothing is packed here. */
function placesOf(extents: ExtentTable, virtualSize: number, base: number): StreamEnd & { readonly directory: number } {
  const { leadInLength, start } = streamForm(base);
  let unitsEnd = start;
  const units: number[] = [];
  for (const { state, guestOffset, hostOffset, storedLength } of eachExtent(extents)) {
    if (!isStored(state)) continue;
    if (state !== ExtentState.compressed || hostOffset !== unitsEnd + leadInLength)
      throw misplaced(guestOffset, hostOffset, unitsEnd);
    unitsEnd = alignUp(hostOffset + storedLength, SECTOR_SIZE);
    units.push(guestOffset / STREAM_GRAIN);
  }
  return { ...streamPlaces(unitsEnd, storedTablesOf(units), virtualSize), unitsEnd };
}

function map(draft: Draft, extents: ExtentTable, { oldFileSize }: FileSpace): StreamDraft {
  const { unitsEnd, end, directory } = placesOf(extents, draft.virtualSize, 0);
  return {
    ...draft,
    extents,
    directory,
    takenOver: RangeSet.of({ start: unitsEnd, end }),
    fileSize: oldFileSize,
    metadataBytes: 0,
    settling: { bytesMoved: 0, bytesWritten: SECTOR_SIZE, fileSize: end },
    *additiveWrites() {},
  };
}

function copyHeader(
  draft: MappedDraft,
  _source: ConversionOptions,
  _oldHeader: Uint8Array,
  _usedHeader: RangeSet,
  guest?: GuestMaterial,
): Commit {
  const { virtualSize, options, directory } = draft as StreamDraft;
  const file = { fileName: guest?.fileName ?? "", identity: guest?.identity };
  const front = frontOf(virtualSize, options.adapter_type as Adapter, file);
  return {
    kind: "sector",
    hostOffset: 0,
    sector: streamHeader(virtualSize, directory),
    extras: [{ hostOffset: SECTOR_SIZE, bytes: front.subarray(SECTOR_SIZE) }],
  };
}

/** All before the first grain but the header. */
function frontOf(virtualSize: number, adapter: Adapter, { fileName, identity }: PackedFile): Uint8Array {
  const front = new Uint8Array(STREAM_START);
  front.set(freshDescriptor(ownName(fileName), virtualSize, adapter, STREAM_KIND, identity), SECTOR_SIZE);
  return front;
}

function misplaced(guestOffset: number, hostOffset: number, end: number): ImageError {
  const because = `the grain before it ends at ${hex(end)}, and a stream's lie one behind another, compressed`;
  return new ImageError(
    "out-of-bounds",
    `Cannot map guest offset ${hex(guestOffset)} to host offset ${hex(hostOffset)}`,
    {
      because,
      format: "vmdk",
      structure: "mapping",
      hostOffset,
      guestOffset,
      operation: "plan",
    },
  );
}
