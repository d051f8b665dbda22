/** The snapshot table: names and L1 tables of internal snapshots (docs/interop/qcow2.txt, "Snapshots"). */

import { alignUp, isAligned, KiB, MiB } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { placeAt, say } from "../../../bytes/sentence.ts";
import { flags64, type StructValues, struct, u16, u32 } from "../../../bytes/struct.ts";
import type { SnapshotInfo } from "../../../image/specific-info.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { MAX_L1_BYTES } from "../header/rules.ts";
import { type L1Place, type L2List, readL1Table } from "./l1-table.ts";
import { hexOfHalves } from "./table-entry.ts";
import type { WalkSource } from "./table-walk.ts";

export const MAX_TABLE_BYTES = 64 * MiB;
export const MAX_EXTRA_BYTES = 1024;
/** Version 3 demands the 64-bit VM state size and the disk size. */
const MIN_V3_EXTRA_BYTES = 16;
/** No table of entries that do not overlap is larger than its file; sparse files may still claim much. */
export const MAX_L1_BYTES_IN_ALL = 256 * MiB;
/** No file is longer. */
const MAX_FILE_OFFSET = 2 ** 63;
const WINDOW_BYTES = 256 * KiB;
/** L2 tables that lie askew are damage; more of them than the walk follows need not be listed. */
const MAX_ASKEW_TABLES = 256;

export const SnapshotEntry = struct(
  "snapshot table entry",
  "be",
  { at: 0, size: 40 },
  {
    l1TableOffset: flags64(0),
    l1Size: u32(8),
    idLength: u16(12),
    nameLength: u16(14),
    dateSeconds: u32(16),
    dateNanoseconds: u32(20),
    vmClockNanoseconds: flags64(24),
    vmStateSize: u32(32),
    extraDataSize: u32(36),
  },
);

export interface Snapshot {
  readonly id: string;
  readonly name: string;
  /** Of its entry in the table. */
  readonly entryHostOffset: number;
  /** May exceed 2^53 in a hostile image, and lie anywhere. */
  readonly l1HostOffset: number;
  /** The same in hexadecimal digits, exact. */
  readonly l1Place: string;
  readonly isAligned: boolean;
  readonly l1EntryCount: number;
  readonly extraDataSize: number;
  /** How long the disk was; undefined where the entry says nothing of it. */
  readonly diskSize: number | undefined;
  /** What `info` tells of it. */
  readonly facts: SnapshotInfo;
}

export interface SnapshotTable {
  readonly snapshots: readonly Snapshot[];
  /** Bytes that the entries occupy, without what fills the last one up. */
  readonly length: number;
}

/** @throws ImageError `unsupported` for tables beyond the limits, which nothing that writes qcow2 makes. */
export async function readSnapshotTable({ storage, header, geometry }: WalkSource): Promise<SnapshotTable> {
  const snapshots: Snapshot[] = [];
  const start = header.snapshotTableHostOffset;
  let window = new Uint8Array(0);
  let windowStart = 0;
  const bytesAt = async (at: number, length: number) => {
    if (at < windowStart || at + length > windowStart + window.length) {
      const isPast = start + at >= geometry.hostEnd;
      window = isPast ? new Uint8Array(WINDOW_BYTES) : await readZeroFilled(storage, start + at, WINDOW_BYTES);
      windowStart = at;
    }
    return window.subarray(at - windowStart, at - windowStart + length);
  };
  let next = 0;
  let end = 0;
  for (let index = 0; index < header.snapshotCount; index++) {
    const entry = SnapshotEntry.parse(await bytesAt(next, SnapshotEntry.size));
    const { extraDataSize, idLength, nameLength } = entry;
    if (extraDataSize > MAX_EXTRA_BYTES) {
      throw tooLarge(
        `entry ${index} has ${extraDataSize} bytes of extra data, at most ${MAX_EXTRA_BYTES} are read`,
        start + next,
      );
    }
    const extraData = (await bytesAt(next + SnapshotEntry.size, extraDataSize)).slice();
    const text = await bytesAt(next + SnapshotEntry.size + extraDataSize, idLength + nameLength);
    const id = new TextDecoder().decode(text.subarray(0, idLength));
    const name = new TextDecoder().decode(text.subarray(idLength));
    snapshots.push({
      id,
      name,
      entryHostOffset: start + next,
      l1HostOffset: entry.l1TableOffset.high * 2 ** 32 + entry.l1TableOffset.low,
      // By the low half: the whole may be more than a number holds exactly.
      isAligned: isAligned(entry.l1TableOffset.low, geometry.clusterSize),
      l1Place: hexOfHalves(entry.l1TableOffset.high, entry.l1TableOffset.low),
      l1EntryCount: entry.l1Size,
      extraDataSize,
      diskSize: diskSizeOf(extraData),
      facts: { id, name, ...extraOf(entry, extraData) },
    });
    end = next + SnapshotEntry.size + extraDataSize + idLength + nameLength;
    next = alignUp(end, 8);
    if (next > MAX_TABLE_BYTES) throw tooLarge("it is larger than 64 MiB", start);
  }
  return { snapshots, length: end };
}

/** Behind the size of the VM state; entries of version 2 may end before it. */
function diskSizeOf(extra: Uint8Array): number | undefined {
  if (extra.length < MIN_V3_EXTRA_BYTES) return undefined;
  return Number(new DataView(extra.buffer, extra.byteOffset, extra.byteLength).getBigUint64(8));
}

/** Beyond 2^53 numbers are near what is stored, and no machine's. */
function extraOf(
  entry: StructValues<typeof SnapshotEntry.fields>,
  extra: Uint8Array,
): Omit<SnapshotInfo, "id" | "name"> {
  const { dateSeconds, dateNanoseconds, vmClockNanoseconds, vmStateSize } = entry;
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  const clock = BigInt(vmClockNanoseconds.high) * 2n ** 32n + BigInt(vmClockNanoseconds.low);
  const icount = extra.length >= 24 ? view.getBigInt64(16) : -1n;
  return {
    vmStateSize: extra.length >= 8 ? Number(view.getBigUint64(0)) : vmStateSize,
    dateSec: dateSeconds,
    dateNsec: dateNanoseconds,
    vmClockSec: Number(clock / 1_000_000_000n),
    vmClockNsec: Number(clock % 1_000_000_000n),
    ...(icount === -1n ? {} : { icount: Number(icount) }),
  };
}

/** A snapshot whose L1 table may be read, and what to call it. */
export interface CountableL1 extends L1Place {
  readonly isActive: false;
}

/** Says of each entry what qemu-img says before it looks at anything else. */
export function tellIncomplete({ header, tally }: WalkSource, { snapshots }: SnapshotTable): void {
  if (header.version < 3) return;
  for (const [index, { extraDataSize, id, name }] of snapshots.entries()) {
    if (extraDataSize >= MIN_V3_EXTRA_BYTES) continue;
    tally.corruption(() => ({
      kind: "snapshot-incomplete",
      structure: `snapshot ${id} (${name})`,
      hostOffset: header.snapshotTableHostOffset,
      message: `Entry ${index} of the snapshot table: its extra data of ${extraDataSize} bytes lack what version 3 demands`,
      line: `ERROR snapshot table entry ${index} is incomplete`,
    }));
  }
}

/** The L1 tables of all snapshots that can be looked for; of the others it says why not. */
export function* snapshotL1Tables(source: WalkSource, { snapshots }: SnapshotTable): Generator<CountableL1> {
  const { header, geometry, tally } = source;
  let l1Bytes = 0;
  if (header.hasDataFile && snapshots.length > 0) {
    tally.corruption(() => ({
      kind: "snapshots-with-data-file",
      structure: "snapshot table",
      hostOffset: header.snapshotTableHostOffset,
      message: `The snapshot table has ${counted(snapshots.length, "snapshot")}, but data in another file can't be kept for them`,
      line: `ERROR ${snapshots.length} snapshots in image with data file`,
    }));
  }
  for (const [index, snapshot] of snapshots.entries()) {
    const { l1HostOffset, l1EntryCount, l1Place } = snapshot;
    const structure = `snapshot ${snapshot.id} (${snapshot.name})`;
    const defect = (kind: string, what: string, words: string) =>
      tally.corruption(() => ({
        kind,
        structure,
        hostOffset: header.snapshotTableHostOffset,
        message: `Entry ${index} of the snapshot table, ${structure}: ${what}`,
        line: `ERROR snapshot ${asPrinted(snapshot.id)} (${asPrinted(snapshot.name)}) ${words}; snapshot table entry corrupted`,
      }));
    if (!snapshot.isAligned) {
      const words = `l1_offset=0x${l1Place}: L1 table is not cluster aligned`;
      defect("entry-unaligned", `L1 table 0x${l1Place} is no multiple of the cluster size`, words);
      continue;
    }
    if (l1EntryCount * 8 > MAX_L1_BYTES) {
      const words = `l1_size=${hex(l1EntryCount)}: L1 table is too large`;
      defect("table-too-large", `${counted(l1EntryCount, "L1 entry", "L1 entries")} are more than 32 MiB`, words);
      continue;
    }
    l1Bytes += Math.min(l1EntryCount * 8, Math.max(0, geometry.hostEnd - l1HostOffset));
    if (l1Bytes > MAX_L1_BYTES_IN_ALL) throw tooLarge("the L1 tables it names are more than 256 MiB", l1HostOffset);
    const name = `L1 table of ${structure}`;
    // A table without entries lies nowhere, whatever its place says.
    if (l1EntryCount > 0 && l1HostOffset >= MAX_FILE_OFFSET) {
      throw new ImageError("corrupt", `Cannot read the ${name} at host offset 0x${l1Place}: no file is that long`, {
        format: "qcow2",
        structure: name,
        hostOffset: l1HostOffset,
      });
    }
    yield { hostOffset: l1HostOffset, entryCount: l1EntryCount, isActive: false, name };
  }
}

/** Counts the snapshot table and the L1 tables it names; gives the L2 tables that these list. */
export async function countSnapshots(source: WalkSource): Promise<L2List[]> {
  const { storage, header, geometry, tally } = source;
  if (header.snapshotCount === 0) return [];
  const table = await readSnapshotTable(source);
  tellIncomplete(source, table);
  const lists: L2List[] = [];
  let askewCount = 0;
  for (const place of snapshotL1Tables(source, table)) {
    const list = await readL1Table(storage, geometry, tally, place);
    // Only what lies askew is wanted from the list: all else is counted by cluster. Copied, so that a table that many
    // snapshots name is not kept once for each.
    const askew = list.hostOffset.filter((hostOffset) => hostOffset % geometry.clusterSize !== 0);
    if (askew.length === 0 || askewCount >= MAX_ASKEW_TABLES) continue;
    const kept = askew.slice(0, MAX_ASKEW_TABLES - askewCount);
    askewCount += kept.length;
    lists.push({ l1Index: new Uint32Array(kept.length), hostOffset: kept });
  }
  tally.countMetadata(header.snapshotTableHostOffset, table.length, "snapshot table");
  return lists;
}

/**
 * A name as QEMU prints it, up to its first zero byte; but it must not begin a line of its own: it may come from a
 * stranger and look like anything.
 */
function asPrinted(name: string): string {
  const end = name.indexOf("\0");
  return (end < 0 ? name : name.slice(0, end)).replaceAll("\n", "\\n");
}

function tooLarge(what: string, hostOffset: number): ImageError {
  return new ImageError("unsupported", say`Cannot read the snapshot table at host offset ${placeAt(hostOffset)}`, {
    because: what,
    format: "qcow2",
    structure: "snapshot table",
    hostOffset,
  });
}
