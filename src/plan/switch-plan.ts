/**
 * The plan of a switch: the whole conversion as values, proven, before a byte is written.
 *
 *   |h| source: data and old tables |  copies  |  new tables  |
 *    ^ the commit: one sector        ^ additive: past the old end, invisible to the source
 */

import { alignUp, isAligned, SECTOR_SIZE } from "../bytes/align.ts";
import { ImageError } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import { say, UNNAMED, type Words } from "../bytes/sentence.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../image/extent.ts";
import type { ConversionOptions } from "../image/source.ts";
import type { Commit, Draft, MappedDraft, TargetDriver } from "../image/target.ts";
import type { Epoch, GuestCopy } from "../image/write.ts";
import { placeUnits } from "./place-units.ts";
import { provePlan } from "./proof.ts";
import { sourceEndOf } from "./source-end.ts";

/** What the planner needs to know of the image as found; no I/O happens behind it. */
export interface SourceFacts {
  readonly options: ConversionOptions;
  readonly mapping: ExtentTable;
  readonly metadata: RangeSet;
  readonly fileSize: number;
  /** The file's first bytes, at least as many as `headerAreaSize` asks for or the file has. */
  readonly header: Uint8Array;
}

export interface SwitchPlan {
  readonly source: ConversionOptions;
  readonly draft: MappedDraft;
  readonly copies: readonly GuestCopy[];
  readonly bytesMoved: number;
  readonly oldFileSize: number;
  /** Where the places that the source points at end: past `oldFileSize` where the file ends inside a cluster. */
  readonly sourceEnd: number;
  /** The header area as the plan read it: what leads back over the commit. */
  readonly header: Uint8Array;
  /** Copies and new tables, past the old end, and extras in unused bytes of the header. */
  readonly additive: Epoch;
  readonly commit: Commit;
}

/** The header bytes that a plan may change or must keep: the larger header cluster, never less than 4 KiB. */
export function headerAreaSize(sourceClusterSize: number, targetClusterSize: number): number {
  return Math.max(sourceClusterSize, targetClusterSize, 4096);
}

/** Throws ImageError `unsupported` with all reasons when the target can't hold the source. */
export function planSwitch(source: SourceFacts, target: TargetDriver, draft: Draft): SwitchPlan {
  const alignment = Math.max(source.options.clusterSize, draft.clusterSize, draft.placement.hostAlignment);
  const hasBacking = source.options.backing !== undefined;
  const sourceEnd = sourceEndOf(source.mapping, source.metadata, source.options.clusterSize, source.fileSize);
  const placed = placeUnits({
    mapping: source.mapping,
    placement: draft.placement,
    virtualSize: source.options.virtualSize,
    sourceClusterSize: source.options.clusterSize,
    hasBacking,
    copyStart: alignUp(sourceEnd, alignment),
  });
  refuse(source.options, draft, [...source.options.unclean, ...draft.refusals, ...placed.refusals]);
  provePlan({
    source: source.mapping,
    target: placed.extents,
    copies: placed.copies,
    placement: draft.placement,
    metadata: source.metadata,
    hasBacking,
    sourceClusterSize: source.options.clusterSize,
    oldFileSize: source.fileSize,
  });
  const additiveStart = alignUp(placed.copyEnd, alignment);
  const mapped = target.map(draft, placed.extents, { oldFileSize: source.fileSize, additiveStart });
  const commit = target.copyHeader(mapped, source.options, source.header, usedHeader(source));
  proveExtras(source, commit);
  return {
    source: source.options,
    draft: mapped,
    copies: placed.copies,
    bytesMoved: placed.bytesMoved,
    oldFileSize: source.fileSize,
    sourceEnd,
    header: source.header,
    additive: {
      purpose: "write the new tables past the old end",
      guestCopies: placed.copies,
      writes: function* () {
        yield* commit.extras;
        yield* mapped.additiveWrites();
      },
      fileSize: mapped.fileSize,
    },
    commit,
  };
}

function refuse(source: ConversionOptions, draft: Draft, reasons: readonly Words[]): void {
  if (reasons.length === 0) return;
  const [first] = reasons;
  const more = reasons.length === 1 ? "" : ` (and ${reasons.length - 1} more)`;
  throw new ImageError("unsupported", say`Cannot convert ${UNNAMED}${source.format} to ${draft.format}`, {
    because: say`${first ?? ""}${more}`,
    format: source.format,
    operation: "plan",
    reasons,
  });
}

/** The parts of the header area that hold something of the source's: metadata or data. */
function usedHeader({ options, mapping, metadata, header }: SourceFacts): RangeSet {
  const used = metadata.clippedTo(options.clusterSize, header.length);
  used.addAll(options.usedHeader);
  for (const extent of eachExtent(mapping)) {
    if (extent.hostOffset < 0 || extent.hostOffset >= header.length) continue;
    const length = extent.state === ExtentState.compressed ? extent.storedLength : extent.length;
    used.add(extent.hostOffset, Math.min(extent.hostOffset + length, header.length));
  }
  return used;
}

/** Extras are made durable while the source lives: they may touch nothing that it uses, and never the commit's sector. */
function proveExtras(source: SourceFacts, commit: Commit): void {
  const used = usedHeader(source);
  for (const { hostOffset, bytes } of commit.extras) {
    const end = hostOffset + bytes.length;
    const isOnCommit = hostOffset < commit.hostOffset + SECTOR_SIZE && end > commit.hostOffset;
    if (isOnCommit || end > source.header.length || used.intersects(hostOffset, end)) {
      throw new ImageError(
        "verification-failed",
        "Cannot prove the plan: a header write lies on bytes that the source uses",
        {
          structure: "header",
          hostOffset,
        },
      );
    }
  }
  const isSector = commit.sector.length === SECTOR_SIZE && isAligned(commit.hostOffset, SECTOR_SIZE);
  // What leads back over it is saved with the header area.
  if (!isSector || commit.hostOffset + SECTOR_SIZE > source.header.length) {
    throw new ImageError("verification-failed", "Cannot prove the plan: the commit is not one sector", {
      structure: "header",
      hostOffset: commit.hostOffset,
    });
  }
}
