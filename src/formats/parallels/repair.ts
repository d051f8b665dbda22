/**
 * What mends a Parallels image (learned by running `qemu-img check -r all` on damaged ones): entries that lead out of the
 * file go, then the mark that it is in use.
 *
 * What is leaked behind the last track stays, since no repair shortens a file. An entry that leads out of the file can't be
 * read. Where nothing in the file lies unreferenced it lost nothing that is still there; else it goes by consent only.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { type Finding, MAX_FINDINGS } from "../../image/finding.ts";
import { type Repair, type RepairStep, type RepairWishes, zerosOver } from "../../image/repair.ts";
import type { Storage } from "../../storage/storage.ts";
import { type BatScan, eachEntry, isOutside } from "./bat.ts";
import { ENTRY_SIZE, InUse, type ParallelsHeader, ParallelsHeaderFields } from "./header.ts";

/** Each lies in a sector of its own at worst, whose old bytes go to the journal: 64 MiB of them. */
const MAX_BAD_ENTRIES = (64 * 1024 * 1024) / SECTOR_SIZE;
const { inUse } = ParallelsHeaderFields.fields;

/** @throws ImageError `unsupported` for more wrong entries than a journal holds */
export async function planParallelsRepair(
  storage: Storage,
  header: ParallelsHeader,
  scan: BatScan,
  { scope, allowDataLoss }: RepairWishes,
): Promise<Repair> {
  const isMarked = header.values.inUse === InUse.open;
  // Zeros over an entry on which a guest's track lies too would be zeros over its data.
  const isMendable = scope === "all" && !scan.isOnMetadata;
  const bad = isMendable ? await entriesOutside(storage, header) : [];
  const isLossless = scan.unusedBytes === 0;
  const isDropping = isLossless || allowDataLoss;
  const dropped = isDropping ? bad : [];
  const isClean = scan.findings.corruptions === dropped.length + Number(isMarked);
  const clears = isMendable && isMarked && isClean;
  const steps: RepairStep[] = [];
  if (dropped.length > 0) {
    const places = dropped.map(({ hostOffset }) => hostOffset);
    steps.push({ purpose: "drop entries that lead out of the file", writes: zerosOver(places, ENTRY_SIZE) });
  }
  if (clears) steps.push({ purpose: "clear the mark", writes: zerosOver([inUse.at], inUse.size) });
  return {
    additiveWrites: () => [],
    steps,
    fileSize: header.fileSize,
    mended: [...(clears ? [MARK_CLEARED] : []), ...dropped.map(mendedFinding)],
    leaksFixed: 0,
    corruptionsFixed: dropped.length + Number(clears),
    losses: isDropping ? [] : sentences(bad, scan.unusedBytes),
    givenUp: isLossless ? [] : sentences(dropped, scan.unusedBytes),
  };
}

interface BadEntry {
  readonly index: number;
  /** Where the entry itself lies. */
  readonly hostOffset: number;
  readonly guestOffset: number;
  /** What it is and what it says, without a verb. */
  readonly what: string;
}

async function entriesOutside(storage: Storage, header: ParallelsHeader): Promise<BadEntry[]> {
  const bad: BadEntry[] = [];
  for await (const { index, entry } of eachEntry(storage, header)) {
    if (!isOutside(header, entry)) continue;
    if (bad.length >= MAX_BAD_ENTRIES) throw tooMany(storage.path);
    const guestOffset = index * header.trackSize;
    const what = `Entry ${index} of the BAT names data for guest offset ${hex(guestOffset)} at host offset ${hex(entry * header.entryUnit)}`;
    bad.push({ index, hostOffset: ParallelsHeaderFields.size + index * ENTRY_SIZE, guestOffset, what });
  }
  return bad;
}

const MARK_CLEARED: Finding = {
  severity: "corruption",
  kind: "in-use",
  structure: ParallelsHeaderFields.name,
  hostOffset: inUse.at,
  message: "The mark that the image is in use: cleared",
  line: "Repairing image was not closed correctly",
};

function mendedFinding({ index, hostOffset, guestOffset, what }: BadEntry): Finding {
  const line = `Repairing cluster ${index} is outside image`;
  const [kind, structure, message] = ["entry-dropped", "BAT", `${what}: dropped`];
  return { severity: "corruption", kind, structure, hostOffset, guestOffset, message, line };
}

function sentences(entries: readonly BadEntry[], unusedBytes: number): string[] {
  const lost = `it may be among ${unusedBytes} bytes of the file that nothing refers to`;
  const told = entries.slice(0, MAX_FINDINGS).map(({ what }) => `${what}, outside the file; ${lost}`);
  if (entries.length > told.length)
    told.push(`${counted(entries.length - told.length, "more entry", "more entries")} of this kind`);
  return told;
}

function tooMany(path: string): ImageError {
  return new ImageError("unsupported", say`Cannot repair ${imageNamed(path)} in place`, {
    because: `more than ${MAX_BAD_ENTRIES} of its entries lead out of the file`,
    remedy: "copy it with qemu-img convert",
    format: "parallels",
    path,
    operation: "repair",
  });
}
