/** The structures of a VHDX's log, field by field (MS-VHDX, "Log"). */

import { KiB } from "../../../bytes/align.ts";
import { bytes, struct, u32, u64 } from "../../../bytes/struct.ts";

/** All of the log is read and written in these. */
export const LOG_SECTOR = 4 * KiB;

export const LogEntryFields = struct(
  "log entry",
  "le",
  { at: 0, size: 64 },
  {
    signature: bytes(0, 4),
    checksum: u32(4),
    /** Of descriptors and data, in bytes. */
    entryLength: u32(8),
    /** Where in the log the first entry of the sequence begins that this one ends. */
    tail: u32(12),
    sequenceNumber: bytes(16, 8),
    descriptorCount: u32(24),
    reserved: u32(28),
    logGuid: bytes(32, 16),
    /** The file was at least so long, durably, when the entry was written. */
    flushedFileOffset: u64(48),
    /** All that has a place in the file lies below it. */
    lastFileOffset: u64(56),
  },
);

export const DESCRIPTOR_SIZE = 32;

/** With the signature `desc`: of a sector of data that follows, whose first eight and last four bytes stand here. */
export const DataDescriptorFields = struct(
  "data descriptor",
  "le",
  { at: 0, size: DESCRIPTOR_SIZE },
  {
    signature: bytes(0, 4),
    trailingBytes: bytes(4, 4),
    leadingBytes: bytes(8, 8),
    fileOffset: u64(16),
    sequenceNumber: bytes(24, 8),
  },
);

/** With the signature `zero`. */
export const ZeroDescriptorFields = struct(
  "zero descriptor",
  "le",
  { at: 0, size: DESCRIPTOR_SIZE },
  {
    signature: bytes(0, 4),
    reserved: u32(4),
    zeroLength: u64(8),
    fileOffset: u64(16),
    sequenceNumber: bytes(24, 8),
  },
);

/** What a data sector has in place of its first eight and its last four bytes: a signature, and the number in two halves. */
export const DataSector = { sequenceHigh: 4, data: 8, sequenceLow: LOG_SECTOR - 4 } as const;
