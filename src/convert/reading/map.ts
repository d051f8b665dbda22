/** Where the guest's bytes lie, as `qemu-img map` tells it. */

import { ExtentState, isStored } from "../../image/extent.ts";
import type { GuestTable } from "../../image/guest/view.ts";
import { FileVolume } from "../../storage/file/file-volume.ts";
import type { JoinedFiles, Volume } from "../../storage/storage.ts";
import { OpenedChain } from "../inspect/opened-chain.ts";
import { openRules, optionsOf } from "../options/option-rules.ts";
import type { OpenOptions } from "../options/options.ts";

/** One entry of `qemu-img map --output=json`, by the same names: a run of the guest's bytes that is all alike. */
export interface MapEntry {
  /** Where it begins in the guest's disk, in bytes. */
  readonly start: number;
  /** Bytes of the guest. */
  readonly length: number;
  /** Which of `files` it is told by: 0 is the image itself, 1 its backing file, and so on. */
  readonly depth: number;
  /** False where no file that was read says anything about the range. */
  readonly present: boolean;
  /** It reads as zeros by what the tables say; false where a file that was not read may say otherwise. */
  readonly zero: boolean;
  /** It is stored. */
  readonly data: boolean;
  /** It is stored compressed. */
  readonly compressed: boolean;
  /** Where it begins in the file of that depth, in bytes; absent for compressed data and what lies nowhere. */
  readonly offset?: number;
  /** The path of the file that `offset` counts in, where the image of that depth lies in several. */
  readonly filename?: string;
}

export interface MapReport {
  /** The image's path as it was given. */
  readonly image: string;
  /** `layer` where the image has a backing file that was not read. */
  readonly covers: "guest" | "layer";
  /** The path of the file that holds the image's disk, or says which ones do, then those of the backing files that were read. */
  readonly files: readonly string[];
  /** All of the guest's disk, ascending, without a gap. */
  readonly entries: readonly MapEntry[];
}

/**
 * The extents of the image, with `backingChain` those of the files below it too. Reads tables, no guest data.
 *
 * @throws ImageError `corrupt` where the tables can't be followed
 */
export async function map(
  path: string,
  options: OpenOptions = {},
  volume: Volume = new FileVolume(),
): Promise<MapReport> {
  const given = optionsOf("map", path, openRules, options);
  const guest = await OpenedChain.open(volume, path, given);
  try {
    const { openGuestView } = await import("../../image/guest/view.ts");
    const view = await openGuestView(guest.chain);
    const files = view.layers.map(({ storage }) => storage.path);
    const { isLayer } = guest;
    const joined = view.layers.map(({ storage }) => storage.joined);
    const entries = mapEntries(view.table, isLayer, joined);
    return { image: path, covers: isLayer ? "layer" : "guest", files, entries };
  } finally {
    await guest.close();
  }
}

/** `isLayer`: what is unallocated falls through to a file that was not read, so that it may be anything. `joined`: of each depth, where that is several files. */
export function mapEntries(
  table: GuestTable,
  isLayer: boolean,
  joined: readonly (JoinedFiles | undefined)[] = [],
): MapEntry[] {
  const entries: MapEntry[] = [];
  for (let row = 0; row < table.count; row++) {
    const entry = inItsFile(entryOf(table, row, isLayer), joined);
    const last = entries.at(-1);
    if (last !== undefined && continues(last, entry)) {
      entries[entries.length - 1] = { ...last, length: last.length + entry.length };
    } else entries.push(entry);
  }
  return entries;
}

/** As the place lies in one of several files. */
function inItsFile(entry: MapEntry, joined: readonly (JoinedFiles | undefined)[]): MapEntry {
  const files = joined[entry.depth];
  if (files === undefined || entry.offset === undefined) return entry;
  const { file, hostOffset } = files.placeOf(entry.offset);
  return { ...entry, offset: hostOffset, filename: file.path };
}

function entryOf(table: GuestTable, row: number, isLayer: boolean): MapEntry {
  const state = table.state[row];
  const hostOffset = table.hostOffset[row] as number;
  const isData = isStored(state);
  const isPresent = state !== ExtentState.unallocated;
  const entry = {
    start: table.guestOffset[row] as number,
    length: table.length[row] as number,
    depth: table.layer[row] as number,
    present: isPresent,
    zero: isPresent ? !isData : !isLayer,
    data: isData,
    compressed: state === ExtentState.compressed,
  };
  return hostOffset < 0 || entry.compressed ? entry : { ...entry, offset: hostOffset };
}

/** qemu-img merges what differs in nothing but its place, and what goes on at the next place. */
function continues(last: MapEntry, next: MapEntry): boolean {
  return (
    last.depth === next.depth &&
    last.present === next.present &&
    last.zero === next.zero &&
    last.data === next.data &&
    last.compressed === next.compressed &&
    last.filename === next.filename &&
    (last.offset === undefined ? next.offset === undefined : next.offset === last.offset + last.length)
  );
}

/** What `qemu-img map` prints for people, and a row for compressed data besides; no line break at its end. */
export function mapText({ files, entries }: MapReport): string {
  const lines = [row("Offset", "Length", "Mapped to", "File")];
  for (const { start, length, depth, data, offset, filename } of entries) {
    if (!data) continue;
    const place = offset === undefined ? "compressed" : address(offset);
    lines.push(row(address(start), address(length), place, filename ?? files[depth] ?? ""));
  }
  return lines.join("\n");
}

function row(offset: string, length: string, mappedTo: string, file: string): string {
  return `${offset.padEnd(16)}${length.padEnd(16)}${mappedTo.padEnd(16)}${file}`;
}

/** C's `%#x`, which writes zero without a prefix. */
function address(value: number): string {
  return value === 0 ? "0" : `0x${value.toString(16)}`;
}
