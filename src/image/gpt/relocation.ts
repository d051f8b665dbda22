/**
 * A GPT whose disk has grown: its backup moved to the new end, as values (UEFI Specification 2.10, section 5.3).
 *
 *   before   |M|H|entries| partitions ...     |entries'|H'|                     the backup is stranded
 *   1        |M|H|entries| partitions ...     |entries'|H'|    |entries"|H"|    nobody points there yet
 *   2        |M|h|entries| partitions ...          free        |entries"|H"|    one sector
 *   3        |m|h|entries| partitions ...          free        |entries"|H"|    one sector
 *
 * The primary is right and has the same partitions after every write, wherever a power cut ends it. The old backup stays
 * as it lies: it is free space by then, as every tool leaves it, and bytes that nobody reads need no change.
 */

import { isAligned } from "../../bytes/align.ts";
import { crc32 } from "../../bytes/crc32.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { findGptMarks, type Gpt, type GptMarks, type GuestBytes, hasNoGpt, readGpt, readGuest } from "./gpt.ts";
import { entriesSectors, parseGptHeader, type SectorSize, withHeader } from "./header.ts";
import { type GptHeader, PRIMARY_LBA } from "./layout.ts";
import { grownMbr } from "./protective-mbr.ts";

/** Guest bytes that change, whole sectors: for the report, and for the way back. */
export interface GuestPatch {
  readonly guestOffset: number;
  /** Zeros where the disk ended before. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** e.g. `backup header of the GPT`. */
  readonly what: string;
}

/** All patches of one are durable before the first of the next; inside one, any mixture of old and new sectors will do. */
export interface GptStep {
  readonly purpose: string;
  readonly patches: readonly GuestPatch[];
}

export interface GptRelocation {
  /** As the GPT counts; undefined where the disk has none. */
  readonly sectorSize: SectorSize | undefined;
  /**
   * In order, once the disk has its new size and what was added reads as zeros; none where everything is where it belongs.
   * Only what changes is in them.
   */
  readonly steps: readonly GptStep[];
  /** What the user ought to know, one sentence each. */
  readonly notes: readonly string[];
}

/** Bytes; the same where the disk does not grow, but may have grown before. */
export interface DiskSizes {
  readonly oldSize: number;
  readonly newSize: number;
}

/** A medium writes so much at once or not at all: nothing larger may decide what the disk shows. */
const ATOMIC_SIZE = 512;

/**
 * What moves the backup of the disk's GPT to the end of `newSize`. The sector size is the GPT's own.
 * Throws ImageError for a GPT that is damaged, could be read in two ways, or has no room at the end.
 */
export async function planGptRelocation(guest: GuestBytes, { oldSize, newSize }: DiskSizes): Promise<GptRelocation> {
  if (!(newSize >= oldSize)) throw new RangeError(`Cannot relocate a GPT from ${oldSize} bytes to ${newSize}`);
  const marks = await findGptMarks(guest, oldSize);
  if (hasNoGpt(marks)) {
    const found = marks.sectorSizes.length > 0 ? "an MBR in front of a GPT that is no longer in use" : "no GPT";
    return { sectorSize: undefined, steps: [], notes: [`The disk has ${found}: there is nothing to relocate`] };
  }
  const gpt = await readGpt(guest, oldSize, marks);
  const { sectorSize, header, sector, mbr } = gpt;
  if (!isAligned(newSize, sectorSize))
    throw noRoom(`the disk's ${newSize} bytes are no whole sectors of ${sectorSize}`);
  const lastLba = newSize / sectorSize - 1;
  const before = (guestOffset: number, length: number) => readGuest(guest, oldSize, guestOffset, length);
  const steps: GptStep[] = [];
  if (!(await hasBackupAt(lastLba, gpt, before))) {
    const moved = movedHeader(gpt, lastLba);
    const primary = withHeader(sector, moved);
    const backup = withHeader(sector, {
      ...moved,
      myLba: lastLba,
      alternateLba: PRIMARY_LBA,
      entriesLba: moved.lastUsableLba + 1,
    });
    steps.push({
      purpose: "write the GPT's backup at the end of the disk",
      patches: await changes(before, [
        [(moved.lastUsableLba + 1) * sectorSize, paddedEntries(gpt), "backup partition entries of the GPT"],
        [lastLba * sectorSize, backup, "backup header of the GPT"],
      ]),
    });
    steps.push({
      purpose: "point the GPT's primary header at it",
      // What is behind it in a larger sector does not change.
      patches: await changes(before, [
        [PRIMARY_LBA * sectorSize, primary.subarray(0, ATOMIC_SIZE), "primary header of the GPT"],
      ]),
    });
  }
  const patches = await changes(before, [[0, grownMbr(mbr, header.alternateLba, lastLba), "protective MBR"]]);
  steps.push({ purpose: "let the protective MBR cover the disk", patches });
  const isHybrid = gpt.mbrKind === "hybrid";
  return {
    sectorSize,
    steps: steps.filter((step) => step.patches.length > 0),
    notes: isHybrid ? ["The MBR is a hybrid one: its own partitions stay as they are"] : [],
  };
}

/** A sentence where a disk of `newSize` has its GPT's backup elsewhere than at its end; undefined where it has not. Throws for failing reads alone. */
export async function noteOfStrandedGpt(
  guest: GuestBytes,
  { oldSize, newSize }: DiskSizes,
): Promise<string | undefined> {
  const marks = await findGptMarks(guest, oldSize);
  if (hasNoGpt(marks) || marks.sectorSizes.length === 0) return undefined;
  if (newSize === oldSize && !(await isStranded(guest, oldSize, marks))) return undefined;
  return "The GPT's backup header is not at the end of the disk: some clouds refuse that or warn of it; gpt=relocate moves it there";
}

async function isStranded(guest: GuestBytes, size: number, marks: GptMarks): Promise<boolean> {
  try {
    const { header, sectorSize } = await readGpt(guest, size, marks);
    return header.alternateLba !== Math.floor(size / sectorSize) - 1;
  } catch (error) {
    // Damage is another story, and none of a disk that keeps its size.
    if (error instanceof ImageError && error.structure === "GPT") return false;
    throw error;
  }
}

type Before = (guestOffset: number, length: number) => Promise<Uint8Array>;

/** Whether the primary's backup is in the last sector, whole and saying the same. */
async function hasBackupAt(lastLba: number, { header, sectorSize }: Gpt, before: Before): Promise<boolean> {
  if (header.alternateLba !== lastLba) return false;
  const backup = parsedBackup(await before(lastLba * sectorSize, sectorSize), lastLba);
  if (backup === undefined) return false;
  const { myLba, alternateLba, entriesLba, headerCrc, ...rest } = backup;
  const isSame = Object.entries(rest).every(([name, value]) => `${header[name as keyof GptHeader]}` === `${value}`);
  if (alternateLba !== PRIMARY_LBA || !isSame || entriesLba <= header.lastUsableLba) return false;
  // Their sum also says that they do not reach into the header.
  const entries = await before(entriesLba * sectorSize, header.entryCount * header.entrySize);
  return crc32(entries) === header.entriesCrc;
}

function parsedBackup(sector: Uint8Array, lastLba: number): GptHeader | undefined {
  try {
    return parseGptHeader(sector, lastLba, lastLba + 1);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** The primary header of a disk that ends with `lastLba`; the entries lie right before the backup header. */
function movedHeader({ header, partitions, sectorSize }: Gpt, lastLba: number): GptHeader {
  const lastUsableLba = lastLba - entriesSectors(header, sectorSize) - 1;
  const inTheWay = partitions.find((partition) => partition.lastLba > lastUsableLba);
  if (inTheWay !== undefined) throw noRoom(`partition ${inTheWay.number} reaches to sector ${inTheWay.lastLba}`);
  if (lastUsableLba < header.firstUsableLba) throw noRoom(`the disk has ${lastLba + 1} sectors`);
  return { ...header, alternateLba: lastLba, lastUsableLba };
}

function paddedEntries({ entries, header, sectorSize }: Gpt): Uint8Array {
  const padded = new Uint8Array(entriesSectors(header, sectorSize) * sectorSize);
  padded.set(entries);
  return padded;
}

/** Of the wanted bytes those that are not there yet. */
async function changes(
  before: Before,
  wanted: readonly (readonly [guestOffset: number, after: Uint8Array, what: string])[],
): Promise<GuestPatch[]> {
  const patches: GuestPatch[] = [];
  for (const [guestOffset, after, what] of wanted) {
    const old = await before(guestOffset, after.length);
    if (Buffer.compare(old, after) !== 0) patches.push({ guestOffset, before: old, after, what });
  }
  return patches;
}

function noRoom(because: string): ImageError {
  return new ImageError("unsupported", "Cannot relocate the disk's GPT to its end", {
    because,
    remedy: ["let the disk grow with align", "leave the GPT where it is with gpt=keep"],
    state: "nothing was written",
    structure: "GPT",
  });
}
