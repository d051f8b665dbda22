/** The GUID Partition Table's structures, byte by byte (UEFI Specification 2.10, sections 5.2 and 5.3); sectors are counted as LBAs. */

import { bytes, flags64, type StructValues, struct, u8, u16, u32, u64 } from "../../bytes/struct.ts";

export const gptHeader = struct(
  "GPT header",
  "le",
  { at: 0, size: 92 },
  {
    signature: bytes(0, 8),
    revision: u32(8),
    headerSize: u32(12),
    /** Of `headerSize` bytes, with zeros in its own place. */
    headerCrc: u32(16),
    reserved: u32(20),
    myLba: u64(24),
    alternateLba: u64(32),
    firstUsableLba: u64(40),
    lastUsableLba: u64(48),
    diskGuid: bytes(56, 16),
    entriesLba: u64(72),
    entryCount: u32(80),
    entrySize: u32(84),
    entriesCrc: u32(88),
  },
);
export type GptHeader = StructValues<typeof gptHeader.fields>;

export const GPT_SIGNATURE = new TextEncoder().encode("EFI PART");
export const GPT_REVISION = 0x00010000;
/** Where the primary header lies; the protective MBR is sector 0. */
export const PRIMARY_LBA = 1;

/** The first 128 bytes of an entry; `type` is all zeros where the entry is not used. */
export const gptEntry = struct(
  "GPT partition entry",
  "le",
  { at: 0, size: 128 },
  {
    type: bytes(0, 16),
    id: bytes(16, 16),
    firstLba: u64(32),
    lastLba: u64(40),
    attributes: flags64(48),
    name: bytes(56, 72),
  },
);

/** 512 bytes, however large the disk's sectors are. */
export const masterBootRecord = struct(
  "MBR",
  "le",
  { at: 0, size: 512 },
  {
    bootCode: bytes(0, 440),
    diskSignature: u32(440),
    unknown: u16(444),
    record0: bytes(446, 16),
    record1: bytes(462, 16),
    record2: bytes(478, 16),
    record3: bytes(494, 16),
    signature: u16(510),
  },
);
export const MBR_SIGNATURE = 0xaa55;

export const mbrRecord = struct(
  "MBR partition record",
  "le",
  { at: 0, size: 16 },
  {
    bootIndicator: u8(0),
    startingChs: bytes(1, 3),
    /** 0 where the record is not used. */
    type: u8(4),
    endingChs: bytes(5, 3),
    startingLba: u32(8),
    sizeInLba: u32(12),
  },
);
export type MbrRecord = StructValues<typeof mbrRecord.fields>;
/** The type of the record that keeps those who know no GPT away from it. */
export const PROTECTIVE_TYPE = 0xee;
