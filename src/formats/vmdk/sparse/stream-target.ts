/**
 * The streamOptimized target: its grains, tables and footer lie where they will when it is switched to, packed there inside the
 * image before (stream-form.ts). The header says where the directory is until the file has been cut behind the footer.
 */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../../../image/extent.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Commit, Draft, FileSpace, GuestMaterial, MappedDraft } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { type Adapter, freshDescriptor, STREAM_KIND } from "../fresh-descriptor.ts";
import { ownName, sparseDraft } from "./draft.ts";
import { STREAM_FRONT, STREAM_GRAIN, storedTablesOf, streamForm, streamHeader, streamPlaces } from "./stream-form.ts";

interface StreamDraft extends MappedDraft {
  readonly directory: number;
}

export const streamTarget = { form: streamForm, openConversionTarget, map, copyHeader };

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  const draft = sparseDraft(source, { ...options, subformat: STREAM_KIND.createType }, drop);
  return {
    ...draft,
    clusterSize: STREAM_GRAIN,
    placement: {
      unitSize: STREAM_GRAIN,
      hostAlignment: SECTOR_SIZE,
      reserved: RangeSet.of({ start: 0, end: STREAM_FRONT.start }),
      hasZeroState: false,
      compressed: { clusterSize: STREAM_GRAIN, method: "zlib" },
    },
  };
}

/** Throws ImageError where a grain does not lie as a stream's do: nothing is packed here. */
function map(draft: Draft, extents: ExtentTable, { oldFileSize }: FileSpace): StreamDraft {
  const { virtualSize } = draft;
  const { leadInLength } = streamForm();
  let end: number = STREAM_FRONT.start;
  const units: number[] = [];
  for (const { state, guestOffset, hostOffset, storedLength } of eachExtent(extents)) {
    if (state === ExtentState.unallocated || state === ExtentState.zero) continue;
    if (state !== ExtentState.compressed || hostOffset !== end + leadInLength)
      throw misplaced(guestOffset, hostOffset, end);
    end = alignUp(hostOffset + storedLength, SECTOR_SIZE);
    units.push(guestOffset / STREAM_GRAIN);
  }
  const places = streamPlaces(end, storedTablesOf(units), virtualSize);
  return {
    ...draft,
    extents,
    directory: places.directory,
    takenOver: RangeSet.of({ start: end, end: places.end }),
    fileSize: oldFileSize,
    metadataBytes: 0,
    settling: { bytesMoved: 0, bytesWritten: SECTOR_SIZE, fileSize: places.end },
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
  const adapter = options.adapter_type as Adapter;
  const name = ownName(guest?.fileName);
  const descriptor = new Uint8Array(STREAM_FRONT.start - SECTOR_SIZE);
  descriptor.set(freshDescriptor(name, virtualSize, adapter, STREAM_KIND, guest?.identity));
  return {
    kind: "sector",
    hostOffset: 0,
    sector: streamHeader(virtualSize, directory),
    extras: [{ hostOffset: SECTOR_SIZE, bytes: descriptor }],
  };
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
