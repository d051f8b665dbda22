/** Which of a VHDX's two headers counts, and every rule that it must keep (MS-VHDX, "Header"). */

import { isAligned } from "../../../bytes/align.ts";
import { hex } from "../../../bytes/image-error.ts";
import type { Flags64 } from "../../../bytes/struct.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import {
  FILE_MARK,
  HEADER_PLACES,
  HEADER_SIZE,
  isSound,
  PLACE_UNIT,
  startsWith,
  VhdxHeaderFields,
  type VhdxHeaderValues,
} from "./fields.ts";
import type { Place, Refuse } from "./refuse.ts";

export interface VhdxHeader {
  readonly values: VhdxHeaderValues;
  readonly hostOffset: number;
  readonly fileSize: number;
  /** Empty where the file has none. */
  readonly log: Place;
  /** Whether the log holds what has to be replayed before the file says what is true. */
  readonly hasLog: boolean;
}

/** Throws ImageError for the first rule that is broken. */
export async function readVhdxHeader(storage: Storage, refuse: Refuse): Promise<VhdxHeader> {
  const fileSize = await storage.size();
  if (!startsWith(await readZeroFilled(storage, 0, FILE_MARK.length), FILE_MARK)) {
    throw refuse("not-this-format", `it does not begin with ${FILE_MARK}`, "file type identifier", 0);
  }
  const { values, hostOffset } = await currentHeader(storage, refuse);
  const { fields, name } = VhdxHeaderFields;
  const { version, logVersion, logOffset, logLength, logGuid } = values;
  if (version !== 1) {
    throw refuse("unsupported", `version ${version} of its header is not 1`, name, hostOffset + fields.version.at);
  }
  const hasLog = logGuid.some((byte) => byte !== 0);
  if (hasLog && logVersion !== 0) {
    throw refuse("unsupported", `version ${logVersion} of its log is not 0`, name, hostOffset + fields.logVersion.at);
  }
  const at = hostOffset + fields.logOffset.at;
  const log = { name: "log", start: logOffset, end: logOffset + logLength };
  const isEmpty = logLength === 0 && !hasLog;
  if (!isAligned(logOffset, PLACE_UNIT) || !isAligned(logLength, PLACE_UNIT) || (!isEmpty && logLength === 0)) {
    const because = `its log, ${logLength} bytes at ${hex(logOffset)}, is no run of whole MiB`;
    throw refuse("corrupt", because, name, at);
  }
  if (!isEmpty && logOffset < PLACE_UNIT) {
    throw refuse("corrupt", `its log at ${hex(logOffset)} lies on its headers`, name, at);
  }
  if (!isEmpty && log.end > fileSize) {
    throw refuse("out-of-bounds", `its log at ${hex(logOffset)} ends outside the file`, name, at);
  }
  return { values, hostOffset, fileSize, log, hasLog };
}

async function currentHeader(storage: Storage, refuse: Refuse) {
  const sound = [];
  for (const hostOffset of HEADER_PLACES) {
    const bytes = await readZeroFilled(storage, hostOffset, HEADER_SIZE);
    if (isSound(bytes, "head")) sound.push({ hostOffset, bytes, values: VhdxHeaderFields.parse(bytes) });
  }
  const [first, second] = sound;
  const [place] = HEADER_PLACES;
  if (first === undefined) {
    throw refuse("corrupt", "neither of its headers has a right checksum", VhdxHeaderFields.name, place);
  }
  if (second === undefined) return first;
  const order = compareFlags(first.values.sequenceNumber, second.values.sequenceNumber);
  if (order === 0 && Buffer.compare(first.bytes, second.bytes) !== 0) {
    const because = "its two headers have one sequence number and do not say the same";
    throw refuse("corrupt", because, VhdxHeaderFields.name, place);
  }
  return order < 0 ? second : first;
}

/** As numbers: below 0, 0 or above. */
export function compareFlags(a: Flags64, b: Flags64): number {
  return a.high - b.high || a.low - b.low;
}
