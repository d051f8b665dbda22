/**
 * The plan of a switch: the whole conversion as values, proven, before a byte is written.
 *
 *   |h| source: data and old tables |  copies  |  new tables  |
 *    ^ the commit: one sector        ^ additive: past the old end, invisible to the source
 */

import { alignUp, isAligned, MiB, SECTOR_SIZE } from "../bytes/align.ts";
import { ImageError } from "../bytes/image-error.ts";
import { RangeSet } from "../bytes/range-set.ts";
import { say, UNNAMED, type Words } from "../bytes/sentence.ts";
import { ExtentState, type ExtentTable, eachExtent, isStored } from "../image/extent.ts";
import type { Identity } from "../image/fresh-id.ts";
import { grownMapping } from "../image/grown-mapping.ts";
import type { ConversionOptions } from "../image/source.ts";
import type { Commit, Draft, GuestMaterial, MappedDraft, TargetDriver } from "../image/target.ts";
import type { Epoch, GuestCopy, Write } from "../image/write.ts";
import { gatherUnits } from "./gather-units.ts";
import { nobodysPlaces } from "./nobodys-places.ts";
import { type Placed, placeUnits } from "./place-units.ts";
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
  /** The guest's first bytes, as many as the source's header area has; read only where the target fixes the places. */
  readonly front?: Uint8Array;
  /** The file's last sector, where the source holds the disk in one piece. */
  readonly lastSector?: Uint8Array;
  /** The plain name of the file. */
  readonly fileName?: string;
  /** The text beside the file that says what it is. */
  readonly sidecar?: GuestMaterial["sidecar"];
  /** Of the guest, for ids that shall be the same for the same guest. */
  readonly identity?: Identity | undefined;
  /** All that lies below is read. */
  readonly fillsIn?: boolean;
  /** What its tables do not point at nobody makes use of: units may stay of which only parts are stored, and lead-ins be written. */
  readonly isLoose?: boolean;
  /** A carrier's: nothing new lies below, and what will be moved there is counted already. Absent for any other. */
  readonly room?: { readonly from: number; readonly claimed: RangeSet; readonly spareBytes?: number } | undefined;
}

export interface SwitchPlan {
  readonly source: ConversionOptions;
  /** The source's, of a disk as long as the target's. */
  readonly mapping: ExtentTable;
  readonly draft: MappedDraft;
  readonly copies: readonly GuestCopy[];
  readonly bytesMoved: number;
  /** Guest bytes that showed through from below and are stored with the rest of their units. */
  readonly bytesFilled: number;
  readonly oldFileSize: number;
  /** Where the places that the source points at end: past `oldFileSize` where the file ends inside a cluster. */
  readonly sourceEnd: number;
  /** Of a target without holes, or packed: places below the old end that it shows and the source does not. */
  readonly takenOver?: RangeSet;
  /** The header area as the plan read it: what leads back over the commit. */
  readonly header: Uint8Array;
  /** Copies and new tables, past the old end, and extras in unused bytes of the header. */
  readonly additive: Epoch;
  readonly commit: Commit;
  /** What will be put for a while into the room that is left free; none where absent. */
  readonly spareBytes?: number;
}

/** No target's front is longer. */
const MOST_FRONT = 2 * MiB;

/** The header bytes that a plan may change or must keep: the larger header cluster, what the target has at the front, never less than 4 KiB. */
export function headerAreaSize(
  sourceClusterSize: number,
  { clusterSize, placement }: Pick<Draft, "clusterSize" | "placement">,
): number {
  return Math.max(sourceClusterSize, clusterSize, Math.min(placement.reserved.end, MOST_FRONT), 4096);
}

/** Throws ImageError `unsupported` with all reasons when the target can't hold the source. */
export function planSwitch(source: SourceFacts, target: TargetDriver, draft: Draft): SwitchPlan {
  const alignment = Math.max(source.options.clusterSize, draft.clusterSize, draft.placement.hostAlignment);
  const hasBacking = source.options.backing !== undefined;
  const fills = { fillsIn: source.fillsIn ?? false };
  const isInOnePiece = draft.placement.linearBase !== undefined;
  const frontEnd = isInOnePiece && source.options.linearBase === undefined ? source.options.clusterSize : 0;
  const mapping = grownMapping(source.mapping, draft.virtualSize);
  const sourceEnd = sourceEndOf(mapping, source.metadata, source.options, source.fileSize);
  const copyStart = alignUp(Math.max(sourceEnd, source.options.grownEnd ?? 0, source.room?.from ?? 0), alignment);
  const apart = placeUnits({
    mapping,
    placement: draft.placement,
    virtualSize: draft.virtualSize,
    sourceClusterSize: source.options.clusterSize,
    hasShortTail: source.options.tailLength !== undefined,
    hasBacking,
    ...fills,
    ...(source.isLoose && {
      isNobodys: nobodysPlaces(mapping, source.metadata, source.options.clusterSize),
    }),
    copyStart,
    frontEnd,
  });
  refuse(source.options, draft, [...source.options.unclean, ...draft.refusals, ...apart.refusals]);
  const { metadata } = source;
  const { placement, virtualSize } = draft;
  const placed = gatherUnits(apart, { mapping, metadata, placement, virtualSize, copyStart });
  // From one piece to another nothing changes its place, and what shows zeros is zeros.
  const staysInPlace = isInOnePiece && source.options.linearBase === draft.placement.linearBase;
  const zeros = placed.zeros;
  if (!staysInPlace) zeros.addAll(zerosOf(placed.extents, draft.placement, source.fileSize));
  refuse(source.options, draft, placed.refusals);
  refuse(source.options, draft, tooShort(source));
  provePlan({
    source: mapping,
    target: placed.extents,
    copies: placed.copies,
    placement: draft.placement,
    metadata: source.metadata,
    hasBacking,
    ...fills,
    sourceClusterSize: source.options.clusterSize,
    oldFileSize: source.fileSize,
    frontEnd,
    ...(!staysInPlace && { zeros }),
  });
  const additiveStart = alignUp(placed.copyEnd, alignment);
  const { front, lastSector, identity, fileName, sidecar, room } = source;
  const space = { oldFileSize: source.fileSize, additiveStart, identity, ...(room && { claimed: room.claimed }) };
  const mapped = withNote(target.map(draft, placed.extents, space), placed.bytesFilled);
  const guest = { front, lastSector, identity, fileName, sidecar };
  const commit = target.copyHeader(mapped, source.options, source.header, usedHeader(source), guest);
  proveExtras(source, commit);
  const leadIns = [...(mapped.leadIns?.() ?? [])].sort((a, b) => a.hostOffset - b.hostOffset);
  proveLeadIns(mapped, leadIns);
  if (isInOnePiece) proveFront(source, mapped, commit, frontEnd);
  return {
    source: source.options,
    mapping,
    draft: mapped,
    copies: placed.copies,
    bytesMoved: placed.bytesMoved,
    bytesFilled: placed.bytesFilled,
    oldFileSize: source.fileSize,
    // Behind the end of a disk in one piece nothing of it can be: whatever is written there makes the disk longer. Nor
    // where an image is known by what lies at its end.
    sourceEnd: endSaysNothing(source.options) ? sourceEnd : source.fileSize,
    header: source.header,
    ...((placement.dense || source.isLoose) && { takenOver: takenOver(placed, source.fileSize) }),
    ...(mapped.takenOver && { takenOver: mapped.takenOver }),
    additive: {
      purpose: "write the new tables past the old end",
      guestCopies: placed.copies,
      ...(zeros.total > 0 && { zeros }),
      writes: function* (chunk) {
        yield* commit.extras;
        yield* leadIns;
        yield* mapped.additiveWrites(chunk);
      },
      fileSize: mapped.fileSize,
    },
    commit,
    ...(room?.spareBytes !== undefined && { spareBytes: room.spareBytes }),
  };
}

/** Below the old end, where a guest's write to the target would change nothing that the source points at. */
function takenOver({ copies, zeros }: Pick<Placed, "copies" | "zeros">, oldFileSize: number): RangeSet {
  const places = zeros.clippedTo(0, oldFileSize);
  for (const { hostOffset, length } of copies) places.add(hostOffset, Math.min(hostOffset + length, oldFileSize));
  return places;
}

function endSaysNothing({ linearBase, anchor }: ConversionOptions): boolean {
  return linearBase === undefined && anchor === undefined;
}

/** They lie right before units, where the proof has found nothing, and nowhere else. */
function proveLeadIns(
  { extents, placement }: Draft & { readonly extents: ExtentTable },
  writes: readonly Write[],
): void {
  const { leadIn = 0, unitSize } = placement;
  const places = new RangeSet();
  for (const { state, hostOffset, length } of eachExtent(extents)) {
    if (state !== ExtentState.data) continue;
    for (let at = 0; at < length; at += unitSize) places.add(hostOffset + at - leadIn, hostOffset + at);
  }
  for (const { hostOffset, bytes } of writes) {
    if (places.contains(hostOffset, hostOffset + bytes.length)) continue;
    throw new ImageError("verification-failed", "Cannot prove the plan: what comes before a unit lies elsewhere", {
      structure: "lead-in",
      hostOffset,
    });
  }
}

/** What leads back over a commit is the sector that it replaces. */
function tooShort({ options, header, fileSize }: SourceFacts): string[] {
  if (options.linearBase !== undefined || header.length >= SECTOR_SIZE) return [];
  return [`Its file of ${fileSize} bytes is shorter than a sector; make a copy of it with qemu-img convert`];
}

/** What is stored twice from now on, here and below. */
function withNote(mapped: MappedDraft, bytesFilled: number): MappedDraft {
  if (bytesFilled === 0) return mapped;
  const note = `${bytesFilled} bytes of the backing file beside what is stored of a cluster are stored with it`;
  return { ...mapped, notes: [...(mapped.notes ?? []), note] };
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

/** Where a disk in one piece shows zeros and the file has places already: what lies there now is nobody's. */
function zerosOf(extents: ExtentTable, { linearBase }: Draft["placement"], fileSize: number): RangeSet {
  const zeros = new RangeSet();
  if (linearBase === undefined) return zeros;
  for (const { state, guestOffset, length } of eachExtent(extents)) {
    if (isStored(state)) continue;
    const start = linearBase + guestOffset;
    zeros.add(start, Math.min(start + length, fileSize));
  }
  return zeros;
}

/** What the commit brings of the guest is all that the header area takes the place of. */
function proveFront(source: SourceFacts, { virtualSize }: Draft, commit: Commit, frontEnd: number): void {
  // What lies in one piece already stays, the bytes at the commit's place too.
  if (source.options.linearBase !== undefined && commit.hostOffset < source.fileSize && commit.kind === "sector") {
    throw new ImageError("verification-failed", "Cannot prove the plan: the commit lies on the guest's disk", {
      structure: "header",
      hostOffset: commit.hostOffset,
    });
  }
  const wanted = (source.front ?? new Uint8Array(0)).subarray(0, Math.min(frontEnd, virtualSize));
  const brought = new Uint8Array(wanted.length);
  let count = 0;
  for (const { hostOffset, bytes } of frontEnd === 0
    ? []
    : [{ hostOffset: commit.hostOffset, bytes: commit.sector }, ...commit.extras]) {
    const part = bytes.subarray(0, Math.max(0, wanted.length - hostOffset));
    brought.set(part, hostOffset);
    count += part.length;
  }
  if (count === wanted.length && wanted.every((byte, at) => byte === brought[at])) return;
  throw new ImageError(
    "verification-failed",
    "Cannot prove the plan: the guest's first bytes are not all brought along",
    {
      structure: "header",
      hostOffset: 0,
    },
  );
}

/** The parts of the header area that hold something of the source's: metadata or data. */
function usedHeader({ header, ...source }: SourceFacts): RangeSet {
  return usedUpTo(source, header.length);
}

/** The parts of the file's first bytes that hold something of the source's. */
export function usedUpTo(
  { options, mapping, metadata }: Pick<SourceFacts, "options" | "mapping" | "metadata">,
  length: number,
): RangeSet {
  const used = metadata.clippedTo(options.clusterSize, length);
  used.addAll(options.usedHeader);
  for (const extent of eachExtent(mapping)) {
    if (extent.hostOffset < 0 || extent.hostOffset >= length) continue;
    const stored = extent.state === ExtentState.compressed ? extent.storedLength : extent.length;
    used.add(extent.hostOffset, Math.min(extent.hostOffset + stored, length));
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
  // Beside the file no byte of it is written.
  if (commit.kind === "name") {
    proveName(source, commit);
    return;
  }
  const isSector = commit.sector.length === SECTOR_SIZE && isAligned(commit.hostOffset, SECTOR_SIZE);
  // What leads back over it is saved with the header area; what comes behind the file, or goes from its end, needs nothing.
  const isFooter = commit.hostOffset >= (commit.kind === "length" ? source.fileSize - SECTOR_SIZE : source.fileSize);
  if (!isSector || (!isFooter && commit.hostOffset + SECTOR_SIZE > source.header.length)) {
    throw new ImageError("verification-failed", "Cannot prove the plan: the commit is not one sector", {
      structure: "header",
      hostOffset: commit.hostOffset,
    });
  }
}

/** What goes is the very text that was read, and what comes has another name than the file. */
function proveName({ sidecar, fileName }: SourceFacts, { named, sector, extras }: Commit): void {
  const isOwn = named !== undefined && named.name !== fileName && sector.length > 0 && extras.length === 0;
  const isRead = named?.comes || (sidecar?.name === named?.name && sidecar?.bytes === sector);
  if (isOwn && isRead) return;
  throw new ImageError("verification-failed", "Cannot prove the plan: the commit is no name of a text", {
    structure: "sidecar",
  });
}
