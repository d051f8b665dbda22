/** Which regions a VHDX has, and where (MS-VHDX, "Region Table"). */

import { isAligned } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex } from "../../../bytes/image-error.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import {
  Guid,
  guidText,
  isSound,
  MAX_ENTRY_COUNT,
  PLACE_UNIT,
  REGION_TABLE_PLACES,
  REGION_TABLE_SIZE,
  RegionEntryFields,
  RegionTableFields,
} from "./fields.ts";
import type { Place, Refuse } from "./refuse.ts";

export interface Regions {
  readonly bat: Place;
  readonly metadata: Place;
  /** In the table's order, those too that nobody has to know. */
  readonly all: readonly Place[];
}

const { name: TABLE } = RegionTableFields;

/** Throws ImageError for the first rule that is broken; `log` is a place that no region may share. */
export async function readRegions(storage: Storage, fileSize: number, log: Place, refuse: Refuse): Promise<Regions> {
  const { bytes, hostOffset } = await soundTable(storage, refuse);
  const { entryCount } = RegionTableFields.parse(bytes);
  if (entryCount > MAX_ENTRY_COUNT) {
    const because = `its region table has ${counted(entryCount, "entry", "entries")}, more than ${MAX_ENTRY_COUNT}`;
    throw refuse("corrupt", because, TABLE, hostOffset + RegionTableFields.fields.entryCount.at);
  }
  const all: Place[] = [];
  for (let index = 0; index < entryCount; index++) {
    const at = RegionTableFields.size + index * RegionEntryFields.size;
    all.push(readRegion(bytes.subarray(at), hostOffset + at, fileSize, refuse));
  }
  refuseOverlaps([log, ...all], hostOffset, refuse);
  return { all, bat: named(all, "BAT", hostOffset, refuse), metadata: named(all, "metadata", hostOffset, refuse) };
}

/** The first one that is right: they are copies of one another. */
async function soundTable(storage: Storage, refuse: Refuse) {
  const sound = [];
  for (const hostOffset of REGION_TABLE_PLACES) {
    const bytes = await readZeroFilled(storage, hostOffset, REGION_TABLE_SIZE);
    const [first] = sound;
    if (first !== undefined && Buffer.compare(first.bytes, bytes) === 0) return first;
    if (isSound(bytes, "regi")) sound.push({ hostOffset, bytes });
  }
  const [first, second] = sound;
  const [place] = REGION_TABLE_PLACES;
  if (first === undefined) throw refuse("corrupt", "neither of its region tables has a right checksum", TABLE, place);
  if (second !== undefined) throw refuse("corrupt", "its two region tables do not say the same", TABLE, place);
  return first;
}

function readRegion(bytes: Uint8Array, hostOffset: number, fileSize: number, refuse: Refuse): Place {
  const { id, fileOffset: start, length, flags } = RegionEntryFields.parse(bytes);
  const guid = guidText(id);
  const name = guid === Guid.bat ? "BAT" : guid === Guid.metadata ? "metadata" : guid;
  if (guid === name && (flags & 1) === 1) {
    throw refuse("unsupported", `its region ${guid} is required and unknown`, TABLE, hostOffset);
  }
  if (!isAligned(start, PLACE_UNIT) || !isAligned(length, PLACE_UNIT) || length === 0 || start < PLACE_UNIT) {
    const because = `its ${name} region, ${length} bytes at ${hex(start)}, is no run of whole MiB behind the headers`;
    throw refuse("corrupt", because, TABLE, hostOffset);
  }
  if (start + length > fileSize) {
    throw refuse("out-of-bounds", `its ${name} region at ${hex(start)} ends outside the file`, TABLE, hostOffset);
  }
  return { name, start, end: start + length };
}

function named(all: readonly Place[], name: string, hostOffset: number, refuse: Refuse): Place {
  const [found, another] = all.filter((region) => region.name === name);
  if (found !== undefined && another === undefined) return found;
  const because = `its region table names ${found ? "two" : "no"} ${name} region${found ? "s" : ""}`;
  throw refuse("corrupt", because, TABLE, hostOffset);
}

function refuseOverlaps(places: readonly Place[], hostOffset: number, refuse: Refuse): void {
  const sorted = places.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start);
  for (const [at, { name, start }] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before === undefined || before.end <= start) continue;
    const because = `its ${name} region at ${hex(start)} overlaps the ${before.name} region`;
    throw refuse("corrupt", because.replaceAll("log region", "log"), TABLE, hostOffset);
  }
}
