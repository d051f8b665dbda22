/**
 * The journal's records on disk.
 *
 *   512 x n bytes each:  magic | journal id | sequence | sizes | CRC-32 | facts (JSON) | blob | zeros
 *
 * Every record is written with one write at a sector boundary and synced before the next, so a cut leaves a whole
 * prefix and at most one torn record after it.
 */

import { alignUp, SECTOR_SIZE } from "../bytes/align.ts";
import { crc32 } from "../bytes/crc32.ts";
import { bytes, struct, u32 } from "../bytes/struct.ts";
import { damagedJournal } from "./damage.ts";

const RecordHeader = struct(
  "journal record header",
  "le",
  { at: 0, size: 40 },
  {
    magic: bytes(0, 8),
    journalId: bytes(8, 16),
    sequence: u32(24),
    factsLength: u32(28),
    blobLength: u32(32),
    checksum: u32(36),
  },
);

const MAGIC = new TextEncoder().encode("INPLJRN1");
const CHECKSUM_AT = 36;

/** Facts and blobs are small; a length beyond this is damage, not a record. */
export const MAX_PART_LENGTH = 128 * 1024 * 1024;

export interface JournalRecord {
  readonly facts: unknown;
  readonly blob: Uint8Array;
}

/** A blob of several pieces is those one after the other. */
export function encodeRecord(
  journalId: Uint8Array,
  sequence: number,
  facts: unknown,
  blob: Uint8Array | readonly Uint8Array[],
): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(facts));
  const pieces = blob instanceof Uint8Array ? [blob] : blob;
  const blobLength = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const used = RecordHeader.size + text.length + blobLength;
  const record = new Uint8Array(alignUp(used, SECTOR_SIZE));
  const header = { magic: MAGIC, journalId, sequence, factsLength: text.length, blobLength, checksum: 0 };
  RecordHeader.encode(header, record);
  let at = RecordHeader.size;
  for (const piece of [text, ...pieces]) {
    record.set(piece, at);
    at += piece.length;
  }
  RecordHeader.encode({ ...header, checksum: crc32(record.subarray(0, used)) }, record);
  return record;
}

/** What a journal file holds: its whole records, and where the next one goes. */
export interface Scan {
  readonly journalId: Uint8Array | undefined;
  readonly records: readonly JournalRecord[];
  readonly end: number;
  /** Without records: false where no cut can have left this of a first record, which is written once, to a new file. */
  readonly isCutOff: boolean;
}

/**
 * Reads the whole prefix of records. A torn tail is ignored; a valid record behind a broken one is damage that no cut
 * can make, and throws `corrupt`. `beside` is the name beside the image, for that error.
 */
export function scanRecords(file: Uint8Array, path: string, beside: string = path): Scan {
  const records: JournalRecord[] = [];
  let journalId: Uint8Array | undefined;
  let end = 0;
  for (;;) {
    const found = decodeRecord(file, end);
    if (!found || found.sequence !== records.length || (journalId && !sameBytes(found.journalId, journalId))) break;
    journalId ??= found.journalId;
    records.push({ facts: found.facts, blob: found.blob });
    end += found.length;
  }
  for (let at = end; at + SECTOR_SIZE <= file.length; at += SECTOR_SIZE) {
    const later = decodeRecord(file, at);
    if (later && (!journalId || sameBytes(later.journalId, journalId)) && later.sequence >= records.length) {
      const what = `its record ${records.length} is damaged but record ${later.sequence} is whole`;
      throw damagedJournal(path, what, beside, { structure: `journal record ${records.length}`, hostOffset: end });
    }
  }
  return { journalId, records, end, isCutOff: cutCanLeave(file) };
}

/** Each sector of the first record is as it was written or zeros, and the file ends anywhere. */
function cutCanLeave(file: Uint8Array): boolean {
  if (isZero(file.subarray(0, SECTOR_SIZE))) return true;
  const magic = file.subarray(0, MAGIC.length);
  if (!sameBytes(magic, MAGIC.subarray(0, magic.length))) return false;
  if (file.length < RecordHeader.size) return true;
  const { sequence, factsLength, blobLength } = RecordHeader.parse(file);
  if (sequence !== 0 || factsLength > MAX_PART_LENGTH || blobLength > MAX_PART_LENGTH) return false;
  const length = alignUp(RecordHeader.size + factsLength + blobLength, SECTOR_SIZE);
  if (file.length < length) return true;
  for (let at = SECTOR_SIZE; at < length; at += SECTOR_SIZE) {
    if (isZero(file.subarray(at, at + SECTOR_SIZE))) return true;
  }
  return false;
}

interface Decoded extends JournalRecord {
  readonly journalId: Uint8Array;
  readonly sequence: number;
  readonly length: number;
}

function decodeRecord(file: Uint8Array, at: number): Decoded | undefined {
  if (at + RecordHeader.size > file.length) return undefined;
  const rest = file.subarray(at);
  const header = RecordHeader.parse(rest);
  if (!sameBytes(header.magic, MAGIC)) return undefined;
  if (header.factsLength > MAX_PART_LENGTH || header.blobLength > MAX_PART_LENGTH) return undefined;
  const used = RecordHeader.size + header.factsLength + header.blobLength;
  const length = alignUp(used, SECTOR_SIZE);
  if (length > rest.length) return undefined;
  // Not by slice, which of a Buffer is the file itself.
  const framed = new Uint8Array(rest.subarray(0, used));
  framed.fill(0, CHECKSUM_AT, CHECKSUM_AT + 4);
  if (crc32(framed) !== header.checksum) return undefined;
  const factsEnd = RecordHeader.size + header.factsLength;
  return {
    journalId: header.journalId,
    sequence: header.sequence,
    facts: parsed(framed.subarray(RecordHeader.size, factsEnd)),
    blob: framed.subarray(factsEnd),
    length,
  };
}

/** Undefined where it is no JSON, which no record of ours holds. */
function parsed(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return undefined;
  }
}

function isZero(file: Uint8Array): boolean {
  return file.every((byte) => byte === 0);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
