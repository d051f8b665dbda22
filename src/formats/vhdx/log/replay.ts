/** What the log of a VHDX that its last writer did not close still has to write: as values, bounded (MS-VHDX, "Log Replay"). */

import { alignUp, MiB } from "../../../bytes/align.ts";
import { hex } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import type { Write } from "../../../image/write.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import { PLACE_UNIT, REGION_TABLE_PLACES } from "../header/fields.ts";
import type { VhdxHeader } from "../header/header.ts";
import type { Refuse } from "../header/refuse.ts";
import { type LogEntry, LogRing } from "./entry.ts";
import { LOG_SECTOR } from "./fields.ts";
import { activeSequence } from "./sequence.ts";

/** Held in memory whole; writers keep to 1 MiB and a few. */
const MAX_LOG_LENGTH = 128 * MiB;
/** What a journal holds, each byte twice. */
const MAX_REPLAYED = 64 * MiB;
/** No disk of 64 TiB takes so much, and a file that is as long is nobody's. */
const MAX_FILE_SIZE = 2 ** 47;

export interface Replay {
  /** In ascending order, apart. */
  readonly writes: readonly Write[];
  readonly places: RangeSet;
  /** The file's length afterwards; not less than before. */
  readonly fileSize: number;
}

/** Throws ImageError where nothing can be replayed, or where what is to be written can't be right. */
export async function readReplay(storage: Storage, header: VhdxHeader, refuse: Refuse): Promise<Replay> {
  const { log, values, fileSize } = header;
  const refuseLog = (kind: "corrupt" | "unsupported" | "out-of-bounds", because: string) =>
    refuse(kind, because, "log", log.start);
  if (log.end - log.start > MAX_LOG_LENGTH) {
    throw refuseLog("unsupported", `its log, which has to be replayed, is longer than ${MAX_LOG_LENGTH / MiB} MiB`);
  }
  const ring = new LogRing(await readExactly(storage, log.start, log.end - log.start, "log"));
  const sequence = activeSequence(ring, values.logGuid);
  const head = sequence?.at(-1);
  if (sequence === undefined || head === undefined) {
    throw refuseLog("corrupt", "its log has to be replayed, and holds no whole run of entries");
  }
  // Of the head alone: what those before it said of the file may be long past.
  if (head.flushedFileOffset > fileSize) {
    const because = `its file has ${fileSize} bytes where its log says ${head.flushedFileOffset}`;
    throw refuseLog("out-of-bounds", because);
  }
  if (head.lastFileOffset > MAX_FILE_SIZE) {
    throw refuseLog("corrupt", `its log says that the file has ${head.lastFileOffset} bytes`);
  }
  const end = head.lastFileOffset > fileSize ? alignUp(head.lastFileOffset, PLACE_UNIT) : fileSize;
  const sectors = new Map<number, Uint8Array | undefined>();
  let total = 0;
  for (const write of sequence.flatMap((entry) => entry.writes)) {
    total += write.length;
    // Of what is said of one sector again and again only the last counts, and yet each takes its time.
    if (total > 4 * MAX_REPLAYED) throw refuseLog("unsupported", `its log writes more than ${MAX_REPLAYED / MiB} MiB`);
    replayOne(write, header, end, sectors, refuseLog);
  }
  const writes = joined(sectors);
  const places = RangeSet.of(...writes.map(({ hostOffset: start, bytes }) => ({ start, end: start + bytes.length })));
  return { writes, places, fileSize: end };
}

/** A later write to a sector takes the place of an earlier one. */
function replayOne(
  { hostOffset, length, sector }: LogEntry["writes"][number],
  { log }: VhdxHeader,
  end: number,
  sectors: Map<number, Uint8Array | undefined>,
  refuse: (kind: "corrupt" | "unsupported", because: string) => Error,
): void {
  const isOnLog = hostOffset < log.end && hostOffset + length > log.start;
  // Headers are written beside the log, never by it.
  if (hostOffset < REGION_TABLE_PLACES[0] || isOnLog) {
    throw refuse("corrupt", `its log writes on ${isOnLog ? "itself" : "its headers"}, at ${hex(hostOffset)}`);
  }
  if (hostOffset + length > end) throw refuse("corrupt", `its log writes behind the file, at ${hex(hostOffset)}`);
  if (sectors.size * LOG_SECTOR + length > MAX_REPLAYED) {
    throw refuse("unsupported", `its log writes more than ${MAX_REPLAYED / MiB} MiB`);
  }
  for (let done = 0; done < length; done += LOG_SECTOR) sectors.set(hostOffset + done, sector);
}

function joined(sectors: ReadonlyMap<number, Uint8Array | undefined>): Write[] {
  const zeros = new Uint8Array(LOG_SECTOR);
  const runs: { readonly hostOffset: number; readonly parts: Uint8Array[] }[] = [];
  for (const hostOffset of [...sectors.keys()].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    const bytes = sectors.get(hostOffset) ?? zeros;
    if (last && last.hostOffset + last.parts.length * LOG_SECTOR === hostOffset) last.parts.push(bytes);
    else runs.push({ hostOffset, parts: [bytes] });
  }
  return runs.map(({ hostOffset, parts }) => ({ hostOffset, bytes: new Uint8Array(Buffer.concat(parts)) }));
}
