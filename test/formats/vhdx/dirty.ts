/** VHDX images whose log has to be replayed, byte by byte, by nothing of `src/`: the last writer's tables are in the log alone. */

import type { BuiltImage } from "../kit.ts";
import { buildVhdx, type VhdxDescription } from "./builder.ts";
import { KiB, MiB } from "./bytes.ts";
import type { LogDescription, LogEntry, LogWrite } from "./log.ts";

export const LOG_GUID = "0F0E0D0C-0B0A-4909-8807-060504030201";
export const SECTOR = 4 * KiB;

export interface DirtyShape {
  /** Where in the log the first entry begins; by default at its start. */
  readonly at?: number;
  /** Entries whose numbers lead to the first one that counts, but which are done with. */
  readonly done?: number;
  /** An older sequence elsewhere in the log, which says something else. */
  readonly hasOlder?: boolean;
  /** The file as the last writer left it is shorter, and ends in its last block. */
  readonly isShort?: boolean;
  /** The metadata region's first sector is in the log alone, too. */
  readonly hasMetadata?: boolean;
  readonly firstNumber?: bigint;
  /** Changes the entries before they are written. */
  change?(entries: readonly LogEntry[]): readonly LogEntry[];
  readonly logGuid?: string;
}

const PLAIN: VhdxDescription = { virtualSize: 3 * MiB, data: [0, 1, 5, 600], zero: [300] };

/** The BAT names nothing yet but in the log; a further sector of the BAT is zeroed there, which holds rubbish. */
export function buildDirty(
  shape: DirtyShape = {},
  description = PLAIN,
): BuiltImage & { readonly bytes: Buffer; readonly clean: Buffer } {
  const { at = 0, done = 0, hasOlder = false, isShort = false, hasMetadata = false, firstNumber = 7n } = shape;
  const { bytes: clean, guest, batAt, metadataAt } = buildVhdx(description);
  const flushedFileOffset = isShort ? clean.length - 64 * KiB : clean.length;
  const sizes = { flushedFileOffset, lastFileOffset: clean.length };
  const sectorAt = (hostOffset: number): LogWrite => ({
    hostOffset,
    sector: Buffer.from(clean.subarray(hostOffset, hostOffset + SECTOR)),
  });
  const rubbish: LogWrite = { hostOffset: batAt, sector: Buffer.alloc(SECTOR, 0x5a) };
  const entries: LogEntry[] = [];
  const first = at + done * 2 * SECTOR;
  for (let index = 0; index < done; index++)
    entries.push({ sequenceNumber: firstNumber - BigInt(done - index), tail: at, writes: [rubbish], ...sizes });
  // Two say something of one sector: the later one counts.
  entries.push({
    sequenceNumber: firstNumber,
    tail: first,
    writes: [rubbish, { hostOffset: batAt + SECTOR, zeros: 2 * SECTOR }],
    ...sizes,
  });
  const metadata = hasMetadata ? [sectorAt(metadataAt)] : [];
  entries.push({ sequenceNumber: firstNumber + 1n, tail: first, writes: [sectorAt(batAt), ...metadata], ...sizes });
  const changed = shape.change?.(entries) ?? entries;
  const older: LogEntry = { sequenceNumber: 3n, at: MiB / 2, tail: MiB / 2, writes: [rubbish], ...sizes };
  const [head, ...rest] = changed as [LogEntry, ...LogEntry[]];
  const log: LogDescription = {
    guid: shape.logGuid ?? LOG_GUID,
    entries: [{ at, ...head }, ...rest, ...(hasOlder ? [older] : [])],
  };
  const { bytes } = buildVhdx({ ...description, log });
  bytes.fill(0, batAt, batAt + SECTOR);
  bytes.fill(0x77, batAt + SECTOR, batAt + 3 * SECTOR);
  if (hasMetadata) bytes.fill(0, metadataAt, metadataAt + SECTOR);
  // A clean one has zeros there as well.
  clean.fill(0, batAt + SECTOR, batAt + 3 * SECTOR);
  return { bytes: isShort ? bytes.subarray(0, flushedFileOffset) : bytes, clean, guest };
}
