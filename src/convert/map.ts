/** Where the guest's bytes lie, as `qemu-img map` tells it. */

import { ExtentState } from "../image/extent.ts";
import { type GuestTable, type GuestView, openGuestView } from "../image/guest-view.ts";
import { FileVolume } from "../storage/file.ts";
import type { Volume } from "../storage/storage.ts";
import { OpenedGuest } from "./opened-guest.ts";
import { openRules, refuseWrongOptions } from "./option-rules.ts";
import type { OpenOptions } from "./report.ts";

/** One entry of `qemu-img map --output=json`. Bytes. */
export interface MapEntry {
  readonly start: number;
  readonly length: number;
  /** 0 for the image itself, 1 for its backing file, and so on. */
  readonly depth: number;
  /** False where no file that was read says anything about the range. */
  readonly present: boolean;
  readonly zero: boolean;
  readonly data: boolean;
  /** In the file of that depth; absent for compressed data and what lies nowhere. */
  readonly offset?: number;
}

export interface MapReport {
  readonly json: readonly MapEntry[];
  /** What `qemu-img map` prints for people, and a row for compressed data besides. */
  readonly text: string;
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
  refuseWrongOptions("map", path, openRules, options);
  const guest = await OpenedGuest.open(volume, path, options);
  try {
    const view = await openGuestView(guest.chain);
    const files = view.layers.map(({ storage }, depth) => (depth === 0 ? path : storage.path));
    return { json: mapEntries(view.table, guest.isLayer), text: mapText(view, files) };
  } finally {
    await guest.close();
  }
}

/** `isLayer`: what is unallocated falls through to a file that was not read, so that it may be anything. */
export function mapEntries(table: GuestTable, isLayer: boolean): MapEntry[] {
  const entries: MapEntry[] = [];
  for (let row = 0; row < table.count; row++) {
    const entry = entryOf(table, row, isLayer);
    const last = entries.at(-1);
    if (last !== undefined && continues(last, entry)) {
      entries[entries.length - 1] = { ...last, length: last.length + entry.length };
    } else entries.push(entry);
  }
  return entries;
}

function entryOf(table: GuestTable, row: number, isLayer: boolean): MapEntry {
  const state = table.state[row];
  const hostOffset = table.hostOffset[row] as number;
  const isStored = state === ExtentState.data || state === ExtentState.compressed;
  const isPresent = state !== ExtentState.unallocated;
  const entry = {
    start: table.guestOffset[row] as number,
    length: table.length[row] as number,
    depth: table.layer[row] as number,
    present: isPresent,
    zero: isPresent ? !isStored : !isLayer,
    data: isStored,
  };
  return hostOffset < 0 || state === ExtentState.compressed ? entry : { ...entry, offset: hostOffset };
}

/** qemu-img merges what differs in nothing but its place, and what goes on at the next place. */
function continues(last: MapEntry, next: MapEntry): boolean {
  return (
    last.depth === next.depth &&
    last.present === next.present &&
    last.zero === next.zero &&
    last.data === next.data &&
    (last.offset === undefined ? next.offset === undefined : next.offset === last.offset + last.length)
  );
}

function mapText({ table }: GuestView, files: readonly string[]): string {
  const lines = [row("Offset", "Length", "Mapped to", "File")];
  for (const { start, length, depth, data, offset } of mapEntries(table, false)) {
    if (!data) continue;
    lines.push(
      row(address(start), address(length), offset === undefined ? "compressed" : address(offset), files[depth] ?? ""),
    );
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
