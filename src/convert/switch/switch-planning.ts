/** From the image as found to a proven plan of one switch; no byte is written here. */

import { basename } from "node:path";
import { alignUp, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { driverOf } from "../../formats/registry.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import { GPT_OPTION } from "../../image/disk-options.ts";
import { ExtentState, isStored } from "../../image/extent.ts";
import type { Identity } from "../../image/fresh-id.ts";
import { emptiedMapping, withoutZeroUnits } from "../../image/grown-mapping.ts";
import { GuestReader } from "../../image/guest/reader.ts";
import type { GuestView } from "../../image/guest/view.ts";
import type { PackForm } from "../../image/pack-form.ts";
import type { Draft, TargetDriver } from "../../image/target.ts";
import type { TargetOptionValues } from "../../image/target-options.ts";
import type { Journey } from "../../journal/records.ts";
import { refuseSharedPlaces } from "../../plan/shared-places.ts";
import { sourceEndOf } from "../../plan/source-end.ts";
import { headerAreaSize, planSwitch, type SourceFacts, type SwitchPlan } from "../../plan/switch-plan.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { refuseCorruption, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { parseTargetOptions } from "../options/target-options.ts";
import { refuseOwnName } from "../session/named-image.ts";

/** What a switch is planned for. */
export interface SwitchWish {
  readonly targetFormat: string;
  /** `-o` as the user wrote it. */
  readonly options: Readonly<Record<string, string>>;
  /** Its tables lie behind the disk, with room for what will be brought to its place. */
  readonly isCarrier: boolean;
  /** How units will be packed in the carrier. */
  readonly form?: PackForm;
  /** Of a carrier in which units are brought together: its tables lie behind so many bytes, and spares behind both ends. */
  readonly room?: { readonly end: number; readonly spareBytes: number } | undefined;
  /** No stream stays one. Default: as for a carrier whose units are brought to their places. */
  readonly isPlain?: boolean;
  /** What the guest shows, for its first bytes where the target holds the disk in one piece. */
  readonly view: () => Promise<GuestView>;
  readonly identity?: Identity | undefined;
  /** What is plain will be stored compressed. */
  readonly compress?: boolean;
  /** On the way back to what was, streams become plain where they have to. */
  readonly mayInflate?: boolean;
  /** All that lies below is read, so that of a unit stored in part the rest can be stored as well. */
  readonly fillsIn?: boolean;
  /** Guest ranges that were found to be zeros, and how long a run of them is given back. */
  readonly zeros?: { readonly found: RangeSet; readonly leastRun: number } | undefined;
}

/** Units copied on their way where all places are taken: the more, the fewer barriers. */
const MAX_SPARES = 16 * MiB;
/** Of a rearrangement that compresses: plain bytes between two barriers, and of all places that their streams take at first. */
const ENCODE_BYTES = 8 * MiB;
/** What goes to a spare first is copied twice: no more than this part of all that moves. */
export const SPARES_PART = 64;

export function encodeWindow(maxExtraSpace: number): number {
  return Math.min(ENCODE_BYTES, maxExtraSpace);
}

/** Throws ImageError `unsupported` with all reasons where the target can't hold the source. */
export async function planSwitchTo(
  source: Source,
  wish: SwitchWish,
  settings: Pick<Settings, "drop" | "check" | "maxExtraSpace">,
): Promise<SwitchPlan> {
  const target = targetDriverOf(wish.targetFormat);
  const options = parseTargetOptions(wish.targetFormat, target, wish.options);
  if (settings.check) refuseCorruption(source);
  const draft = draftOf(source, target, options, { ...settings, ...wish });
  const wasInOnePiece = source.options.linearBase !== undefined;
  const needsFront = draft.placement.linearBase !== undefined && !wasInOnePiece;
  const hasFooter = wasInOnePiece && source.metadata.total > 0;
  const hasSidecar = driverOf(source.image.format).diskOf !== undefined;
  try {
    refuseSharedPlaces(source.options, source.mapping, source.metadata, source.fileSize);
    const facts: SourceFacts = {
      ...source,
      ...((wasInOnePiece || !needsFront) && { mapping: unitsOf(source, draft, wish) }),
      header: await readHeaderArea(source, draft),
      ...(needsFront && { front: await frontOf(source, wish) }),
      ...(hasFooter && {
        lastSector: await readZeroFilled(source.image.storage, source.fileSize - SECTOR_SIZE, SECTOR_SIZE),
      }),
      ...(driverOf(source.image.format).isHub && { isLoose: true }),
      ...(wish.isCarrier && { room: roomOf(source, wish, settings.maxExtraSpace) }),
      identity: wish.identity,
      fileName: basename(source.image.storage.path),
      ...(hasSidecar && { sidecar: await source.image.storage.sidecar?.() }),
      ...(wish.fillsIn && { fillsIn: true }),
    };
    return planSwitch(facts, target, draft);
  } catch (error) {
    throw namingImage(error, source.image.storage.path);
  }
}

/** What the goal can't hold of the source: asked before the first step, since the last one is planned when its turn comes. */
export function refuseGoal(
  source: Source,
  { goalFormat, goalOptions, wishes }: Pick<Journey, "goalFormat" | "goalOptions" | "wishes">,
  { drop, mayInflate = false }: Pick<Settings, "drop"> & Pick<SwitchWish, "mayInflate">,
): void {
  const { image } = source;
  const target = targetDriverOf(goalFormat);
  const options = parseTargetOptions(goalFormat, target, goalOptions);
  const draft = draftOf(source, target, options, { drop, compress: wishes.compress, mayInflate });
  const [first] = draft.refusals;
  if (first === undefined) return;
  throw new ImageError("unsupported", say`Cannot convert ${imageNamed(image.storage.path)} to ${goalFormat}`, {
    because: first,
    path: image.storage.path,
    format: image.format,
    operation: "plan",
    reasons: draft.refusals,
  });
}

function draftOf(
  source: Source,
  target: TargetDriver,
  options: TargetOptionValues,
  {
    drop,
    compress,
    mayInflate,
    isCarrier = false,
    isPlain = isCarrier,
  }: Pick<Settings, "drop"> & Partial<Pick<SwitchWish, "compress" | "mayInflate" | "isCarrier" | "isPlain">>,
): Draft {
  const draft = target.openConversionTarget(source.options, options, new Set(drop));
  const reasons = [...draft.refusals, ...(compress ? (target.encodingRefusals?.(draft) ?? []) : [])];
  const asked = options.compression_type;
  const has = source.options.compression;
  if (asked !== undefined && has !== undefined && asked !== has && !mayInflate && hasCompressed(source)) {
    reasons.push(
      `Its compressed clusters are ${has}'s, and none is compressed anew; make a copy with qemu-img convert -c -o compression_type=${asked}`,
    );
  }
  // What will be brought to the one place that it may have is stored plain.
  const placement = isPlain ? { ...draft.placement, compressed: undefined } : draft.placement;
  return { ...draft, placement, refusals: reasons };
}

function hasCompressed({ mapping }: Source): boolean {
  return mapping.state.subarray(0, mapping.count).includes(ExtentState.compressed);
}

/** The size of the goal's units. */
export function goalUnit({ options }: Source, goalFormat: string, { options: texts, drop }: Settings): number {
  const target = targetDriverOf(goalFormat);
  const values = parseTargetOptions(goalFormat, target, texts);
  return target.openConversionTarget(options, values, new Set(drop)).placement.unitSize;
}

/** The name of the text that comes beside the file on the way to the goal; undefined where none does. Throws ImageError where none can. */
export function goalSidecar(
  { image, options }: Source,
  { goalFormat, goalOptions }: Pick<Journey, "goalFormat" | "goalOptions">,
): string | undefined {
  const target = targetDriverOf(goalFormat);
  // Its own goes first.
  if (image.format === goalFormat && options.linearBase !== undefined) return undefined;
  const { path } = image.storage;
  const name = target.sidecarName?.(basename(path), parseTargetOptions(goalFormat, target, goalOptions));
  refuseOwnName(path, name);
  return name;
}

/** Whether the image is of these options already, named or not, and its disk as long; what they say of its GPT is asked elsewhere. */
export function isAsAsked(source: Source, format: string, options: Readonly<Record<string, string>>): boolean {
  if (source.image.format !== format) return false;
  const target = targetDriverOf(format);
  const asked = parseTargetOptions(format, target, options);
  const { virtualSize, creationOptions } = source.options;
  const ofDisk = new Set(target.options.flatMap(({ name, isOfDisk }) => (isOfDisk ? [name] : [])));
  const isSized = Object.keys(asked).some((name) => ofDisk.has(name) && name !== GPT_OPTION.name);
  if (isSized && target.grownSize?.(virtualSize, asked) !== virtualSize) return false;
  return Object.entries(asked).every(([name, value]) => ofDisk.has(name) || creationOptions[name] === value);
}

/** What nothing is to be done with is vouched for all the same, so it must be as sound as what is converted. */
export function refuseUnsound(source: Source, isChecked: boolean): void {
  const { path } = source.image.storage;
  const { format, unclean } = source.options;
  if (isChecked) refuseCorruption(source);
  if (unclean.length > 0) {
    throw new ImageError("unsupported", say`Cannot convert ${imageNamed(path)} to ${format}`, {
      because: unclean.join("; "),
      path,
      format,
      operation: "plan",
      reasons: unclean,
    });
  }
  try {
    refuseSharedPlaces(source.options, source.mapping, source.metadata, source.fileSize);
  } catch (error) {
    throw namingImage(error, path);
  }
}

/** The file's first bytes, as many as a plan for the draft may change or must keep. */
export function readHeaderArea({ options, image, fileSize }: Source, draft: Draft): Promise<Uint8Array> {
  // From one piece to another only a footer comes or goes.
  const staysInPlace = options.linearBase !== undefined && draft.placement.linearBase === options.linearBase;
  const size = staysInPlace ? SECTOR_SIZE : headerAreaSize(options.clusterSize, draft);
  return readZeroFilled(image.storage, 0, Math.min(size, fileSize));
}

/** Without what is zeros, in the target's units; of a disk in one piece without its holes as well. */
function unitsOf({ mapping, options }: Source, { placement }: Draft, { zeros }: SwitchWish): Source["mapping"] {
  if (options.linearBase === undefined) {
    return zeros === undefined ? mapping : emptiedMapping(mapping, zeros.found, zeros.leastRun);
  }
  return withoutZeroUnits(mapping, zeros?.found ?? new RangeSet(), {
    unitSize: placement.unitSize,
    leastRun: zeros?.leastRun ?? 0,
    base: options.linearBase ?? 0,
  });
}

async function frontOf({ options }: Source, { view }: SwitchWish): Promise<Uint8Array> {
  const front = new Uint8Array(Math.min(options.clusterSize, options.virtualSize));
  await new GuestReader(await view()).read(0, front);
  return front;
}

/**
 * Behind the disk and all that the source points at: a place for the guest's first unit, whose own is the header's, and
 * spares. Each unit's future place is claimed as well.
 *
 *   |header| places 1 .. n of the disk | first unit | spares | copies, tables
 *                                      ^ both ends, the disk's and the source's, lie before
 */
function roomFor(source: Source, maxExtraSpace: number): NonNullable<SourceFacts["room"]> {
  const { mapping, metadata, fileSize, options } = source;
  const { clusterSize, virtualSize } = options;
  const claimed = new RangeSet();
  let misplaced = 0;
  for (let row = 0; row < mapping.count; row++) {
    const state = mapping.state[row];
    if (state !== ExtentState.data && state !== ExtentState.compressed) continue;
    const start = mapping.guestOffset[row] as number;
    const end = alignUp(start + (mapping.length[row] as number), clusterSize);
    claimed.add(Math.max(clusterSize, start - (start % clusterSize)), end);
    if (mapping.hostOffset[row] !== start) misplaced += end - start;
  }
  const sourceEnd = sourceEndOf(mapping, metadata, options, fileSize);
  const start = alignUp(Math.max(virtualSize, sourceEnd, options.grownEnd ?? 0), clusterSize);
  const spares = Math.min(MAX_SPARES, maxExtraSpace, Math.ceil(misplaced / SPARES_PART));
  const from = start + clusterSize + Math.max(clusterSize, alignUp(spares, clusterSize));
  claimed.add(start, from);
  return { from, claimed };
}

function roomOf(source: Source, { form, room }: SwitchWish, maxExtraSpace: number): NonNullable<SourceFacts["room"]> {
  if (form) return roomForPacked(source, form, maxExtraSpace);
  return room ? roomBehind(source, room) : roomFor(source, maxExtraSpace);
}

/** Behind all that the source points at, and all that its units will take packed, if none of them gets shorter. */
function roomForPacked(source: Source, form: PackForm, maxExtraSpace: number): NonNullable<SourceFacts["room"]> {
  const { mapping, metadata, fileSize, options } = source;
  const { unitSize } = form;
  let units = 0;
  let lastUnit = -1;
  for (let row = 0; row < mapping.count; row++) {
    if (!isStored(mapping.state[row])) continue;
    const start = mapping.guestOffset[row] as number;
    const first = Math.max(lastUnit + 1, Math.floor(start / unitSize));
    lastUnit = Math.ceil((start + (mapping.length[row] as number)) / unitSize) - 1;
    units += lastUnit + 1 - first;
  }
  // Whole units of what comes by other clusters are copied behind the source's end first.
  const sourceEnd = sourceEndOf(mapping, metadata, options, fileSize);
  const end = Math.max(sourceEnd, options.grownEnd ?? 0, form.lengthFor(units, options.virtualSize));
  const from = alignUp(end, unitSize) + alignUp(encodeWindow(maxExtraSpace), unitSize);
  return { from, claimed: RangeSet.of({ start: unitSize, end: from }) };
}

/** Behind the source and all slots so many bytes of spares; nothing is counted there. */
function roomBehind(
  { mapping, metadata, fileSize, options }: Source,
  { end, spareBytes }: NonNullable<SwitchWish["room"]>,
): NonNullable<SourceFacts["room"]> {
  const sourceEnd = sourceEndOf(mapping, metadata, options, fileSize);
  return { from: Math.max(end, sourceEnd, options.grownEnd ?? 0) + spareBytes, claimed: new RangeSet(), spareBytes };
}

/** The planner knows no paths. */
export function namingImage(error: unknown, path: string): unknown {
  if (!(error instanceof ImageError) || error.path !== undefined) return error;
  const what = error.what.withImage(path);
  if (what !== undefined)
    return new ImageError(error.kind, what, { ...error.facts, ...error.words, path, cause: error });
  return new ImageError(error.kind, say`${error.sentence} (in ${imageNamed(path)})`, {
    ...error.facts,
    path,
    cause: error,
  });
}
