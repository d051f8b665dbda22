/**
 * What mends a QED image (learned by running `qemu-img check -r all` on damaged ones): entries that point nowhere go,
 * then the NEED_CHECK mark.
 *
 * QED has no refcounts, so a leak can't be given back in place, and clusters that two entries share stay shared. An
 * entry that points nowhere can't be read. Where nothing in the file lies unreferenced it lost nothing that is still
 * there; else what it meant may be among that, and it goes by consent only.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { hasFlag, setBits } from "../../bytes/struct.ts";
import { type Finding, MAX_FINDINGS } from "../../image/finding.ts";
import { type Repair, type RepairStep, type RepairWishes, zerosOver } from "../../image/repair.ts";
import type { Storage } from "../../storage/storage.ts";
import { ENTRY_SIZE, QedFeature, type QedHeader, QedHeaderFields } from "./header/header.ts";
import { entryOffset, entryWords, ZERO_ENTRY } from "./tables/table-entry.ts";
import { type PieceRequest, piecesOf, readPieces } from "./tables/table-reader.ts";
import type { TableScan } from "./tables/table-scan.ts";

/** Each lies in a sector of its own at worst, whose old bytes go to the journal: 64 MiB of them. */
const MAX_BAD_ENTRIES = (64 * 1024 * 1024) / SECTOR_SIZE;
/** Findings beyond these are counted, not told. */
const MAX_TOLD = 100_000;
const FEATURES_HOST_OFFSET = 16;

/** An entry that names no place where a table or a cluster can be. */
interface BadEntry {
  readonly hostOffset: number;
  /** What it is and what it says, without a verb. */
  readonly what: string;
  readonly structure: string;
  readonly guestOffset: number;
}

/** @throws ImageError `unsupported` for more wrong entries than a journal holds */
export async function planQedRepair(
  storage: Storage,
  header: QedHeader,
  scan: TableScan,
  { scope, allowDataLoss }: RepairWishes,
): Promise<Repair> {
  const { corruptions } = scan.findings;
  const found = scope === "all" && corruptions > 0 ? await findBadEntries(storage, header, scan) : [];
  // Where tables and data share clusters, zeros over an entry could be zeros over somebody's data.
  const bad = found.length === corruptions ? found : [];
  const leakedCount = header.clusterCount - scan.references.markedCount;
  const isLossless = leakedCount === 0;
  const isDropping = isLossless || allowDataLoss;
  const dropped = isDropping ? bad : [];
  const steps: RepairStep[] = [];
  if (dropped.length > 0)
    steps.push({ purpose: "drop entries that point nowhere", writes: zerosOver(placesOf(dropped), ENTRY_SIZE) });
  const isClean = corruptions === dropped.length;
  const { features } = header.values;
  if (isClean && hasFlag(features, QedFeature.needCheck)) {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, (features.low & ~(1 << QedFeature.needCheck)) >>> 0, true);
    view.setUint32(4, features.high, true);
    steps.push({ purpose: "clear the mark", writes: [{ hostOffset: FEATURES_HOST_OFFSET, bytes }] });
  }
  // As for every writer: autoclear bits, of which none is known, go before anything that they may speak of changes.
  if (steps.length > 0 && setBits(header.values.autoclearFeatures).length > 0) {
    steps.unshift({
      purpose: "clear what a write breaks",
      writes: [{ hostOffset: QedHeaderFields.fields.autoclearFeatures.at, bytes: new Uint8Array(8) }],
    });
  }
  return {
    additiveWrites: () => [],
    steps,
    fileSize: header.fileSize,
    mended: dropped.slice(0, MAX_TOLD).map(mendedFinding),
    leaksFixed: 0,
    corruptionsFixed: dropped.length,
    losses: isDropping ? [] : sentences(bad, leakedCount),
    givenUp: isLossless ? [] : sentences(dropped, leakedCount),
  };
}

async function findBadEntries(storage: Storage, header: QedHeader, { l2Tables }: TableScan): Promise<BadEntry[]> {
  const { clusterSize, clusterCount, l1Offset, tableBytes, entryCount, headerBytes } = header;
  const end = clusterCount * clusterSize;
  const bad: BadEntry[] = [];
  const add = (entry: BadEntry) => {
    if (bad.length >= MAX_BAD_ENTRIES) throw tooMany(storage.path);
    bad.push(entry);
  };
  for await (const { request, bytes } of readPieces(storage, piecesOf(l1Offset, tableBytes), "L1 table")) {
    forEachPlace(bytes, (at, place) => {
      const isPlace = place >= headerBytes && place % clusterSize === 0 && place + tableBytes <= end;
      if (isPlace) return;
      const index = (request.hostOffset - l1Offset + at) / ENTRY_SIZE;
      const guestOffset = index * entryCount * clusterSize;
      const what = `Entry ${index} of the L1 table, from guest offset ${hex(guestOffset)} on, names an L2 table at ${placeName(place)}`;
      add({ hostOffset: request.hostOffset + at, what, structure: "L1 table", guestOffset });
    });
  }
  for await (const { request, bytes } of readPieces(storage, l2Pieces(header, l2Tables), "L2 table")) {
    const { l1Index, tableOffset, hostOffset } = request;
    forEachPlace(bytes, (at, place) => {
      if (place === ZERO_ENTRY || (place >= 0 && place % clusterSize === 0 && place < end)) return;
      const index = (hostOffset - tableOffset + at) / ENTRY_SIZE;
      const guestOffset = (l1Index * entryCount + index) * clusterSize;
      const structure = `L2 table ${l1Index}`;
      const what = `${structure} names data for guest offset ${hex(guestOffset)} at ${placeName(place)}`;
      add({ hostOffset: hostOffset + at, what, structure, guestOffset });
    });
  }
  return bad;
}

interface L2Piece extends PieceRequest {
  readonly l1Index: number;
  readonly tableOffset: number;
}

function* l2Pieces({ tableBytes }: QedHeader, l2Tables: TableScan["l2Tables"]): Generator<L2Piece> {
  for (const { l1Index, hostOffset } of l2Tables) {
    for (const piece of piecesOf(hostOffset, tableBytes)) yield { ...piece, l1Index, tableOffset: hostOffset };
  }
}

/** Calls for each entry that is not 0; a place beyond 2^53 is -1. */
function forEachPlace(bytes: Uint8Array, visit: (at: number, place: number) => void): void {
  const words = entryWords(bytes);
  for (let at = 0; at < words.length; at += 2) {
    const low = words[at] as number;
    const high = words[at + 1] as number;
    if (low !== 0 || high !== 0) visit(at * 4, entryOffset(low, high));
  }
}

function placesOf(entries: readonly BadEntry[]): number[] {
  return entries.map(({ hostOffset }) => hostOffset);
}

function mendedFinding({ hostOffset, what, structure, guestOffset }: BadEntry): Finding {
  const message = `${what}: dropped`;
  return { severity: "corruption", kind: "entry-dropped", structure, hostOffset, guestOffset, message };
}

function sentences(entries: readonly BadEntry[], leakedCount: number): string[] {
  const lost = `it may be among ${leakedCount} leaked ${leakedCount === 1 ? "cluster" : "clusters"}`;
  const told = entries.slice(0, MAX_FINDINGS).map(({ what }) => `${what}, where none can be; ${lost}`);
  if (entries.length > told.length)
    told.push(`${counted(entries.length - told.length, "more entry", "more entries")} of this kind`);
  return told;
}

function placeName(place: number): string {
  return place < 0 ? "an offset beyond 2^53" : `host offset ${hex(place)}`;
}

function tooMany(path: string): ImageError {
  return new ImageError("unsupported", say`Cannot repair ${imageNamed(path)} in place`, {
    because: `more than ${MAX_BAD_ENTRIES} of its entries point nowhere`,
    remedy: "copy it with qemu-img convert",
    format: "qed",
    path,
    operation: "repair",
  });
}
