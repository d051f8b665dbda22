/** The MBR before a GPT: whether it is one that says so, and the same grown with its disk (UEFI Specification 2.10, section 5.2.3). */

import { MBR_SIGNATURE, type MbrRecord, masterBootRecord, mbrRecord, PRIMARY_LBA, PROTECTIVE_TYPE } from "./layout.ts";

/** What sector 0 says of the disk: `none` where it is no MBR, or one without any record. */
export type MbrKind = "none" | "plain" | "protective" | "hybrid";

const RECORDS = ["record0", "record1", "record2", "record3"] as const;
/** What the size says where the disk is larger than 32 bits can count. */
const MAX_SIZE = 0xffffffff;
/** The geometry that everyone assumes of a disk without one. */
const [HEADS, SECTORS, CYLINDERS] = [255, 63, 1024];

export function mbrKind(sector: Uint8Array): MbrKind {
  const used = recordsOf(sector).filter(({ type }) => type !== 0);
  if (used.length === 0) return "none";
  if (!used.some(isProtective)) return "plain";
  return used.length === 1 ? "protective" : "hybrid";
}

/**
 * The sector as it is where the disk ends with `lastLba`; the same bytes where nothing has to change. Only the protective
 * record grows, and none ever shrinks. In a hybrid MBR it grows only where it covered the disk up to the GPT's old end and
 * nothing else reaches past that: most keep it in front of the first partition that they show.
 */
export function grownMbr(sector: Uint8Array, oldLastLba: number, lastLba: number): Uint8Array {
  const records = recordsOf(sector);
  const at = records.findIndex(isProtective);
  const record = records[at];
  if (record === undefined) return sector;
  const others = records.filter((other, index) => index !== at && other.type !== 0);
  const mayGrow =
    others.length === 0 || (endOf(record) > oldLastLba && others.every((other) => endOf(other) <= oldLastLba + 1));
  const sizeInLba = Math.min(lastLba, MAX_SIZE);
  if (!mayGrow || sizeInLba <= record.sizeInLba) return sector;
  const bytes = new Uint8Array(mbrRecord.size);
  // A record that says "beyond what can be said" goes on saying it.
  const endingChs = record.endingChs.every((byte) => byte === 0xff) ? record.endingChs : chsOf(lastLba);
  mbrRecord.encode({ ...record, sizeInLba, endingChs }, bytes);
  const grown = sector.slice();
  masterBootRecord.encode({ ...masterBootRecord.parse(sector), [RECORDS[at] as "record0"]: bytes }, grown);
  return grown;
}

/** None where the sector is no MBR. */
function recordsOf(sector: Uint8Array): MbrRecord[] {
  const mbr = masterBootRecord.parse(sector);
  return mbr.signature === MBR_SIGNATURE ? RECORDS.map((name) => mbrRecord.parse(mbr[name])) : [];
}

function isProtective({ type, startingLba }: MbrRecord): boolean {
  return type === PROTECTIVE_TYPE && startingLba === PRIMARY_LBA;
}

/** One past its last sector. */
function endOf({ startingLba, sizeInLba }: MbrRecord): number {
  return startingLba + sizeInLba;
}

/** Head, sector with the cylinder's two high bits, cylinder; all ones where it can't be said. */
function chsOf(lba: number): Uint8Array {
  const cylinder = Math.floor(lba / (HEADS * SECTORS));
  if (cylinder >= CYLINDERS) return Uint8Array.of(0xff, 0xff, 0xff);
  const head = Math.floor(lba / SECTORS) % HEADS;
  return Uint8Array.of(head, (lba % SECTORS) + 1 + (cylinder >> 8) * 64, cylinder & 0xff);
}
