/**
 * The qcow header: its field table and every rule that it must keep (version 1 as docs/interop/qcow2.txt tells it apart,
 * and as qemu-img 7.2 was seen to write and to refuse it).
 */

import { ceilDiv, isAligned, SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex, ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { placeAt, say, type Words } from "../../bytes/sentence.ts";
import { bytes, flags64, type StructValues, struct, u8, u16, u32, u64 } from "../../bytes/struct.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";

/** `QFI\xfb` and version 1. */
export const QCOW_MARK = "QFI\xfb\0\0\0\x01";
export const QCOW_MAGIC = Uint8Array.from(QCOW_MARK.slice(0, 4), (letter) => letter.charCodeAt(0));

export const QcowHeaderFields = struct(
  "qcow header",
  "be",
  { at: 0, size: 48 },
  {
    magic: bytes(0, 4),
    version: u32(4),
    /** 0: no backing file. */
    backingNameOffset: u64(8),
    backingNameSize: u32(16),
    /** Of the backing file, which nobody compares. */
    modifiedAt: u32(20),
    /** The guest's disk, in bytes; QEMU opens up to 2^57. */
    size: flags64(24),
    clusterBits: u8(32),
    /** Entries of an L2 table, as a power of two. */
    l2Bits: u8(33),
    padding: u16(34),
    cryptMethod: u32(36),
    l1TableOffset: u64(40),
  },
);
export type QcowHeaderValues = StructValues<typeof QcowHeaderFields.fields>;

export const MIN_CLUSTER_BITS = 9;
export const MAX_CLUSTER_BITS = 16;
/** Tables of 512 bytes to 64 KiB. */
export const MIN_L2_BITS = 6;
export const MAX_L2_BITS = 13;
export const ENTRY_SIZE = 8;
export const MAX_BACKING_NAME = 1023;
/** QEMU opens no image with more. */
export const MAX_L1_ENTRIES = 2 ** 28 - 1;

/** A header that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface QcowHeader {
  readonly virtualSize: number;
  readonly clusterBits: number;
  readonly clusterSize: number;
  /** Entries of one L2 table. */
  readonly l2EntryCount: number;
  readonly l2TableSize: number;
  /** Guest bytes of one L2 table. */
  readonly bytesPerL2Table: number;
  readonly l1Offset: number;
  readonly l1EntryCount: number;
  readonly isEncrypted: boolean;
  /** As stored; undefined without a backing file. */
  readonly backingName: Uint8Array | undefined;
  readonly backingNameOffset: number;
  readonly fileSize: number;
}

/** One past the L1 table's last byte. */
export function l1End({ l1Offset, l1EntryCount }: Pick<QcowHeader, "l1Offset" | "l1EntryCount">): number {
  return l1Offset + l1EntryCount * ENTRY_SIZE;
}

/** Reads and validates the header and the backing name; throws ImageError for the first rule that is broken. */
export async function readQcowHeader(storage: Storage): Promise<QcowHeader> {
  const { path } = storage;
  const refuse: Refuse = (kind, field, because, remedy) => {
    const hostOffset = QcowHeaderFields.fields[field].at;
    throw new ImageError(kind, say`Cannot use ${FIELD_NAMES[field] ?? field} at host offset ${placeAt(hostOffset)}`, {
      because,
      remedy,
      format: "qcow",
      path,
      structure: "qcow header",
      hostOffset,
    });
  };
  const fileSize = await storage.size();
  const head = new Uint8Array(SECTOR_SIZE);
  const values = parse(head.subarray(0, await storage.read(0, head)), path);
  const virtualSize = values.size.high * 2 ** 32 + values.size.low;
  refuseSizes(values, virtualSize, refuse);
  const { clusterBits, l2Bits, cryptMethod, l1TableOffset } = values;
  if (cryptMethod > 1) refuse("unsupported", "cryptMethod", `method ${cryptMethod} is not known`);
  const clusterSize = 2 ** clusterBits;
  const l2EntryCount = 2 ** l2Bits;
  const header = {
    virtualSize,
    clusterBits,
    clusterSize,
    l2EntryCount,
    l2TableSize: l2EntryCount * ENTRY_SIZE,
    bytesPerL2Table: l2EntryCount * clusterSize,
    l1Offset: l1TableOffset,
    l1EntryCount: ceilDiv(virtualSize, l2EntryCount * clusterSize),
    isEncrypted: cryptMethod !== 0,
    fileSize,
  };
  if (header.l1EntryCount > MAX_L1_ENTRIES) {
    refuse("unsupported", "size", `an L1 table of ${header.l1EntryCount} entries is more than QEMU opens`);
  }
  if (l1TableOffset < QcowHeaderFields.size) refuse("corrupt", "l1TableOffset", "the L1 table lies in the header");
  if (l1End(header) > fileSize) {
    refuse(
      "corrupt",
      "l1TableOffset",
      `the L1 table of ${counted(header.l1EntryCount, "entry", "entries")} ends outside the file`,
    );
  }
  const backingName = await readBackingName(storage, values, header, refuse);
  return { ...header, backingName, backingNameOffset: values.backingNameOffset };
}

type Refuse = (
  kind: ImageErrorKind,
  field: keyof typeof QcowHeaderFields.fields,
  because: string,
  remedy?: Words,
) => never;

/** The specification's words. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  clusterBits: "cluster_bits",
  l2Bits: "l2_bits",
  cryptMethod: "crypt_method",
  l1TableOffset: "l1_table_offset",
  backingNameOffset: "backing_file_offset",
  backingNameSize: "backing_file_size",
};

function parse(head: Uint8Array, path: string): QcowHeaderValues {
  const mark = Buffer.from(head.subarray(0, QCOW_MARK.length)).toString("latin1");
  if (mark === QCOW_MARK) return QcowHeaderFields.parse(head);
  throw new ImageError(
    "not-this-format",
    "Cannot open the image as qcow: it does not begin with QFI\\xfb and version 1",
    {
      format: "qcow",
      path,
      structure: "qcow header",
      hostOffset: 0,
    },
  );
}

function refuseSizes({ clusterBits, l2Bits }: QcowHeaderValues, virtualSize: number, refuse: Refuse): void {
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
    refuse("corrupt", "clusterBits", `${clusterBits} lies outside ${MIN_CLUSTER_BITS} to ${MAX_CLUSTER_BITS}`);
  }
  if (l2Bits < MIN_L2_BITS || l2Bits > MAX_L2_BITS) {
    refuse("corrupt", "l2Bits", `${l2Bits} lies outside ${MIN_L2_BITS} to ${MAX_L2_BITS}`);
  }
  if (virtualSize === 0) refuse("corrupt", "size", "the disk has no bytes");
  if (!Number.isSafeInteger(virtualSize)) {
    refuse("unsupported", "size", `a disk of ${hex(virtualSize)} bytes is longer than 2^53`);
  }
  if (!isAligned(virtualSize, SECTOR_SIZE)) {
    const remedy = "make a copy with qemu-img convert, which leaves out what goes on behind the last whole sector";
    refuse("unsupported", "size", `${virtualSize} is no multiple of ${SECTOR_SIZE}`, remedy);
  }
}

async function readBackingName(
  storage: Storage,
  { backingNameOffset: at, backingNameSize: size }: QcowHeaderValues,
  header: Pick<QcowHeader, "l1Offset" | "l1EntryCount" | "fileSize">,
  refuse: Refuse,
): Promise<Uint8Array | undefined> {
  if (at === 0 || size === 0) return undefined;
  if (size > MAX_BACKING_NAME) {
    refuse("corrupt", "backingNameSize", `${size} bytes, at most ${MAX_BACKING_NAME} are allowed`);
  }
  if (at < QcowHeaderFields.size) refuse("corrupt", "backingNameOffset", `the name at ${hex(at)} lies in the header`);
  if (at + size > header.fileSize) {
    refuse("corrupt", "backingNameOffset", `the name at ${hex(at)} ends outside the file`);
  }
  if (at < l1End(header) && at + size > header.l1Offset) {
    refuse("corrupt", "backingNameOffset", `the name at ${hex(at)} lies on the L1 table`);
  }
  return readExactly(storage, at, size, "backing name");
}
