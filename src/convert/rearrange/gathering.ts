/**
 * Whether a target's units have to be brought together first, and where: in the format whose clusters lie at any sector.
 *
 *   before  |h| source: data and old tables      |                 |
 *   away    |h| source                           | spares | tables |     a switch: nothing moves
 *   here    |h| front | slots ...            end |        | tables |     each unit to a slot of its own
 */

import { alignDown, alignUp, isAligned, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { hubDriver } from "../../formats/registry.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import { ExtentState, ExtentTableBuilder, eachExtent } from "../../image/extent.ts";
import { withoutZeroUnits } from "../../image/grown-mapping.ts";
import type { Draft } from "../../image/target.ts";
import type { Journey, Wishes } from "../../journal/records.ts";
import { nobodysPlaces } from "../../plan/nobodys-places.ts";
import { placeUnits } from "../../plan/place-units.ts";
import { piecesOf, type Slots, slotStart, slotsFor, storedUnitCount, storedUnits } from "../../plan/schedule/slots.ts";
import { type GatherInput, leastSpares, stayingUnits } from "../../plan/schedule.ts";
import type { Source } from "../inspect/source.ts";
import { packFormOf, parseTargetOptions } from "../options/target-options.ts";
import { epochBytesFor } from "./epoch-size.ts";

/** What a switch to the format in which units are brought together leaves free behind `end`, and `-o` for its clusters. */
export interface GatheringRoom {
  readonly end: number;
  readonly spareBytes: number;
  readonly options: Readonly<Record<string, string>>;
}

/** Units have to be brought together, in images of the format `by`. */
export interface GatheringNeed {
  readonly by: string;
  /** Its tables are out of the way, and there are spares. */
  readonly isHere: boolean;
  /** Nothing is stored that could be moved. */
  readonly isIdle: boolean;
  /** Its `end` is one past the last slot. */
  readonly room: GatheringRoom;
}

/** What the schedule is made from, and what else lies in the file. */
export interface GatheringHere {
  readonly input: GatherInput;
  readonly fixed: RangeSet;
}

/** More are behind the reach of the schedule's columns. */
const MAX_END = 2 ** 32 * SECTOR_SIZE;
const CONSENTS = new Set(["snapshots", "bitmaps", "leaks"]);

type Found = Pick<Source, "options" | "mapping" | "metadata" | "fileSize">;
type Goal = Pick<Journey, "goalFormat" | "goalOptions"> & { readonly wishes: Pick<Wishes, "maxExtraSpace"> };

/** With what the target's own tables take the file is then no more than 16 MiB longer. */
const USUAL_SPARES = 15 * MiB;

/** Old places that wait to be given back together: to punch takes a sync that is longer. Copies take the less of the disk for them. */
const KEPT_AT_MOST = MiB;

/** Undefined where a switch alone leads to the goal, as where all but a little stays where it is. */
export function gatheringNeed(source: Source, goal: Goal): GatheringNeed | undefined {
  if (packFormOf(goal) !== undefined) return undefined;
  const draft = draftOf(source, goal);
  const { placement } = draft;
  const { options, mapping, fileSize } = source;
  const maxExtraSpace = goal.wishes.maxExtraSpace ?? Number.POSITIVE_INFINITY;
  const hub = hubDriver();
  const isHub = options.format === hub.name;
  if (placement.linearBase !== undefined || options.backing !== undefined) return undefined;
  const pieceSize =
    isHub && canMakeUp(placement, options.clusterSize) ? options.clusterSize : pieceSizeFor(source, draft);
  if (pieceSize === undefined) return undefined;
  const slots = slotsFor(placement, pieceSize);
  if (!isNeeded(source, draft, slots, isHub, allowedFor(maxExtraSpace))) return undefined;
  const spareBytes = spareBytesFor(source, slots, pieceSize, maxExtraSpace);
  const unitCount = storedUnitCount(mapping, slots.unitSize);
  const end = slotStart(slots, unitCount);
  const isOutOfReach = Math.max(end, fileSize, options.grownEnd ?? 0) + 2 * spareBytes > MAX_END;
  // Units that can lie nowhere but together have no other way.
  if (slots.leadIn === 0 && (isOutOfReach || spareBytes > maxExtraSpace)) return undefined;
  const isHere = isHub && gatheringHere(source, goal) !== undefined;
  return {
    by: hub.name,
    isHere,
    isIdle: unitCount === 0,
    room: { end, spareBytes, options: optionsOfHub(source, placement) },
  };
}

/** How long a file will be in which units lie without a hole between them; undefined of any other. */
export function gatheredSize(source: Found, goal: Goal): number | undefined {
  const draft = draftOf(source, goal);
  const { unitSize } = draft.placement;
  const slots = slotsFor(draft.placement, unitSize);
  if (!slots.isDense) return undefined;
  const extents = new ExtentTableBuilder();
  let slot = 0;
  for (const unit of storedUnits(source.mapping, unitSize)) {
    extents.append(unit * unitSize - extents.end, ExtentState.unallocated);
    const length = Math.min(unitSize, draft.virtualSize - extents.end);
    extents.append(length, ExtentState.data, slotStart(slots, slot++) + slots.leadIn);
  }
  extents.append(draft.virtualSize - extents.end, ExtentState.unallocated);
  const additiveStart = slotStart(slots, slot);
  const table = extents.finish(draft.virtualSize);
  const space = { oldFileSize: additiveStart, additiveStart };
  return targetDriverOf(goal.goalFormat).map(draft, table, space).settling.fileSize;
}

/** Of an image in which units can be moved to any sector; undefined where its tables are in the way. */
export function gatheringHere(found: Found, goal: Goal): GatheringHere | undefined {
  const { mapping, metadata, options, fileSize } = found;
  const { placement } = draftOf(found, goal);
  const maxExtraSpace = goal.wishes.maxExtraSpace ?? Number.POSITIVE_INFINITY;
  const pieceSize = options.clusterSize;
  if (!canMakeUp(placement, pieceSize)) return undefined;
  const slots = slotsFor(placement, pieceSize);
  const fixed = RangeSet.of({ start: 0, end: SECTOR_SIZE });
  fixed.addAll(metadata);
  let dataEnd = 0;
  const occupied = new RangeSet();
  occupied.addAll(fixed);
  for (const { state, hostOffset, length } of eachExtent(mapping)) {
    if (state === ExtentState.compressed) return undefined;
    if (state !== ExtentState.data) continue;
    dataEnd = Math.max(dataEnd, hostOffset + alignUp(length, pieceSize));
    occupied.add(hostOffset, hostOffset + alignUp(length, pieceSize));
  }
  const pieces = piecesOf(mapping, pieceSize);
  const behind = alignUp(Math.max(fileSize, metadata.end, dataEnd), pieceSize);
  const limit = metadata.clippedTo(SECTOR_SIZE, metadata.end).each().next().value?.start ?? behind;
  const end = slotStart(slots, storedUnitCount(mapping, slots.unitSize));
  if (end > limit) return undefined;
  const { slotOf } = stayingUnits({ slots, pieces, limit });
  for (const slot of slotOf) if (slot >= 0) occupied.add(slotStart(slots, slot), slotStart(slots, slot) + slots.pitch);
  const spareBytes = spareBytesFor(found, slots, pieceSize, maxExtraSpace);
  const spares: number[] = [];
  for (let at = limit - pieceSize; at >= end && spares.length * pieceSize < spareBytes; at -= pieceSize)
    if (!occupied.intersects(at, at + pieceSize)) spares.push(at);
  const least = leastSpares(slots, pieceSize);
  if (spares.length * pieceSize < Math.min(spareBytes, least)) return undefined;
  const epochBytes = spareBytes - alignDown(Math.max(0, Math.min(KEPT_AT_MOST, spareBytes - least)), pieceSize);
  return { input: { slots, pieces, pieceSize, spares, behind, epochBytes, limit }, fixed };
}

/** The largest power of two at whose multiples all begins that is moved, or may be. */
export function alignmentOf({ slots, pieceSize, spares, behind }: GatherInput): number {
  let alignment = pieceSize;
  for (const at of [slots.first + slots.leadIn, slots.pitch, ...spares.slice(0, 1), behind])
    while (alignment > SECTOR_SIZE && !isAligned(at, alignment)) alignment /= 2;
  return alignment;
}

/** The goal's, with nothing dropped. */
function draftOf({ options }: Found, { goalFormat, goalOptions }: Goal): Draft {
  const target = targetDriverOf(goalFormat);
  return target.openConversionTarget(options, parseTargetOptions(goalFormat, target, goalOptions), new Set());
}

/** The clusters that the hub would have; undefined where it can't hold the source. */
function pieceSizeFor({ options }: Found, { refusals, placement }: Draft): number | undefined {
  const { name } = hubDriver();
  const target = targetDriverOf(name);
  const values = parseTargetOptions(name, target, optionsOfHub({ options }, placement));
  // What the goal does not keep is given up by the user's word, which the goal asks for.
  const drafted = target.openConversionTarget(options, values, refusals.length > 0 ? CONSENTS : new Set());
  return drafted.refusals.length === 0 ? drafted.clusterSize : undefined;
}

/** Where each unit lies by itself, behind its own lead-in, none is a part of a cluster. */
function canMakeUp({ unitSize, leadIn = 0 }: Draft["placement"], pieceSize: number): boolean {
  return leadIn === 0 || pieceSize <= unitSize;
}

function optionsOfHub(
  { options }: Pick<Found, "options">,
  { unitSize, leadIn = 0 }: Draft["placement"],
): GatheringRoom["options"] {
  return leadIn === 0 || options.clusterSize <= unitSize
    ? {}
    : (targetDriverOf(hubDriver().name).optionsForUnits?.(unitSize) ?? {});
}

/** Whether more than `most` would have to be copied elsewhere; where units have to lie together, and can be moved, whether any lies in no slot. */
function isNeeded(
  found: Found,
  { placement, virtualSize }: Draft,
  slots: Slots,
  isHub: boolean,
  most: number,
): boolean {
  const { mapping, metadata, options, fileSize } = found;
  const { linearBase, clusterSize, grownEnd = 0 } = options;
  if (slots.leadIn > 0 && !(isHub && canMakeUp(placement, clusterSize))) return true;
  if (isHub && slots.isDense) {
    const pieces = piecesOf(mapping, clusterSize);
    const { unitCount, stayCount } = stayingUnits({ slots, pieces, limit: Number.POSITIVE_INFINITY });
    return stayCount < unitCount || mapping.state.includes(ExtentState.compressed);
  }
  const { unitSize } = placement;
  const units =
    linearBase === undefined
      ? mapping
      : withoutZeroUnits(mapping, new RangeSet(), { unitSize, leastRun: 0, base: linearBase });
  const { bytesMoved, refusals } = placeUnits({
    mapping: units,
    placement,
    virtualSize: Math.min(virtualSize, options.virtualSize),
    sourceClusterSize: clusterSize,
    hasBacking: false,
    copyStart: alignUp(Math.max(fileSize, metadata.end, grownEnd), Math.max(clusterSize, unitSize)),
    ...(isHub && { isNobodys: nobodysPlaces(mapping, metadata, clusterSize) }),
  });
  return refusals.length === 0 && bytesMoved > most;
}

/** Of a bound half, since tables come to it. */
function allowedFor(maxExtraSpace: number): number {
  return Number.isFinite(maxExtraSpace) ? epochBytesFor(maxExtraSpace / 2) : USUAL_SPARES;
}

/** No more than there is to be moved, and room for a unit. */
function spareBytesFor({ mapping }: Found, slots: Slots, pieceSize: number, maxExtraSpace: number): number {
  const least = leastSpares(slots, pieceSize);
  const units = storedUnitCount(mapping, slots.unitSize) * slots.pitch;
  return alignUp(Math.max(least, Math.min(allowedFor(maxExtraSpace), units)), pieceSize);
}
