/** qcow2 as a target: what it can hold, where its tables go, and the sector that commits (the last three of the driver's five verbs). */

import { alignUp, KiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import type { Words } from "../../../bytes/sentence.ts";
import { ExtentState, type ExtentTable } from "../../../image/extent.ts";
import { canDeflate, missingMethod } from "../../../image/guest/deflate.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Draft, MappedDraft, Placement, TargetDriver } from "../../../image/target.ts";
import { judgeUnkept } from "../../../image/unkept.ts";
import { MAX_BACKING_NAME } from "../header/fields.ts";
import { MIN_BITS_FOR_COMPRESSED, narrowRefcounts } from "../tables/refcount.ts";
import { encodeCommit, minHeaderSize } from "./header.ts";
import { layOut, type Qcow2Layout } from "./layout.ts";
import { chooseSettings, fitsL1, optionValues, QCOW2_OPTIONS, type Qcow2Settings } from "./options.ts";

/** QEMU opens no format name of more bytes. */
const MAX_FORMAT_NAME = 15;

/** The format has all of it, but a conversion makes new tables for the active disk alone. */
const WORDS = { hasNone: "a conversion to qcow2 takes none along", name: "a converted qcow2" };

interface Qcow2MappedDraft extends MappedDraft {
  readonly layout: Qcow2Layout;
}

export const qcow2Target: TargetDriver = {
  options: QCOW2_OPTIONS,
  countsReferences: true,

  openConversionTarget(source, options, drop): Draft {
    const settings = chooseSettings(source, options, source.creationOptions);
    const unkept = judgeUnkept(source, WORDS, drop);
    return {
      format: "qcow2",
      virtualSize: source.virtualSize,
      clusterSize: settings.clusterSize,
      placement: placementFor(source, settings),
      options: optionValues(settings),
      refusals: [...unkept.refusals, ...refusalsOf(source, settings)],
      dropped: unkept.dropped,
      ...(settings.compression === "zstd" && { notes: ["compression_type=zstd is read by QEMU 5.1 and later only"] }),
    };
  },

  optionsForFront: (length) => ({ cluster_size: String(2 ** Math.ceil(Math.log2(Math.max(length, 64 * KiB)))) }),

  optionsForPacking: (unitSize) => ({
    cluster_size: String(unitSize),
    compression_type: "zlib",
    refcount_bits: "16",
    lazy_refcounts: "off",
  }),

  encodingRefusals(draft) {
    const { refcountBits, compression } = settingsOf(draft);
    const reasons: Words[] = [];
    if (refcountBits < MIN_BITS_FOR_COMPRESSED) reasons.push(narrowRefcounts(refcountBits));
    if (!canDeflate(compression)) reasons.push(missingMethod(compression));
    return reasons;
  },

  map(draft, placed, space): Qcow2MappedDraft {
    const extents = countedInSectors(placed);
    const layout = layOut(extents, draft.virtualSize, settingsOf(draft), draft.placement, space);
    return {
      ...draft,
      extents,
      layout,
      fileSize: layout.end,
      metadataBytes: layout.end - layout.start,
      // Nothing leaks. At most stale bytes of the header cluster are zeroed, which depends on what the source left there.
      settling: { bytesMoved: 0, bytesWritten: 0, fileSize: layout.end },
      additiveWrites: (chunk) => layout.writes(chunk),
    };
  },

  copyHeader(draft, source, oldHeader, usedHeader) {
    if (!hasLayout(draft)) throw new TypeError("copyHeader expects what qcow2's map returned");
    const target = {
      settings: settingsOf(draft),
      virtualSize: draft.virtualSize,
      layout: draft.layout,
      backing: source.backing,
    };
    return encodeCommit(target, oldHeader, usedHeader);
  },
};

/** The format tells where the last sector of a stream ends, not the stream: so long it will be found to be. */
function countedInSectors(extents: ExtentTable): ExtentTable {
  const { state, hostOffset } = extents;
  if (!state.includes(ExtentState.compressed)) return extents;
  const storedLength = extents.storedLength.map((length, row) => {
    const start = hostOffset[row] as number;
    return state[row] === ExtentState.compressed ? alignUp(start + length, SECTOR_SIZE) - start : length;
  });
  return { ...extents, storedLength };
}

function placementFor(source: ConversionOptions, settings: Qcow2Settings): Placement {
  const { clusterSize, compat, refcountBits } = settings;
  const { compression: method } = source;
  const mayStayCompressed =
    source.clusterSize === clusterSize && refcountBits >= MIN_BITS_FOR_COMPRESSED && method === settings.compression;
  return {
    unitSize: clusterSize,
    hostAlignment: clusterSize,
    reserved: RangeSet.of({ start: 0, end: clusterSize }),
    hasZeroState: compat === "1.1",
    compressed: method !== undefined && mayStayCompressed ? { clusterSize, method } : undefined,
  };
}

/** What keeps the disk and its backing file from being a qcow2's. */
function refusalsOf(source: ConversionOptions, settings: Qcow2Settings): Words[] {
  const { virtualSize, backing } = source;
  const { clusterSize, extendedL2 } = settings;
  const reasons: Words[] = [];
  if (extendedL2) reasons.push("Subclusters (extended L2 entries) are read, not written; use extended_l2=off");
  if (virtualSize % 512 !== 0) reasons.push(`The disk's size of ${virtualSize} bytes is no multiple of 512`);
  if (!fitsL1(virtualSize, clusterSize)) {
    reasons.push(
      `A disk of ${virtualSize} bytes needs an L1 table beyond 32 MiB with clusters of ${clusterSize} bytes; ` +
        "choose a larger cluster_size",
    );
  }
  if (backing !== undefined) reasons.push(...backingRefusals(backing, settings));
  return reasons;
}

function backingRefusals(backing: NonNullable<ConversionOptions["backing"]>, settings: Qcow2Settings): string[] {
  const reasons: string[] = [];
  const nameLength = backing.nameBytes.length;
  if (nameLength > MAX_BACKING_NAME) {
    reasons.push(`The backing file's name has ${nameLength} bytes, qcow2 holds at most ${MAX_BACKING_NAME}`);
  } else if (minHeaderSize(settings, backing) > settings.clusterSize) {
    reasons.push(
      `The backing file's name of ${nameLength} bytes does not fit into a header cluster of ${settings.clusterSize} bytes; ` +
        "choose a larger cluster_size",
    );
  }
  const formatLength = new TextEncoder().encode(backing.format ?? "").length;
  if (formatLength > MAX_FORMAT_NAME) {
    reasons.push(`The backing format's name has ${formatLength} bytes, qcow2 holds at most ${MAX_FORMAT_NAME}`);
  }
  return reasons;
}

/** A draft carries its settings as the options that it was made from. */
function settingsOf(draft: Draft): Qcow2Settings {
  return chooseSettings(draft, draft.options);
}

function hasLayout(draft: MappedDraft): draft is Qcow2MappedDraft {
  return "layout" in draft;
}
