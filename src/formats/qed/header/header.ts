/** The QED header: its field table, its feature bits, and every rule it must keep (QED specification, "Header"). */

import { alignDown, isAligned, isPowerOfTwo, KiB, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex, ImageError, type ImageErrorKind } from "../../../bytes/image-error.ts";
import { bytes, flags64, hasFlag, type StructValues, setBits, struct, u32, u64 } from "../../../bytes/struct.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";

export const QED_MAGIC = new Uint8Array([0x51, 0x45, 0x44, 0x00]);

export const QedHeaderFields = struct(
  "QED header",
  "le",
  { at: 0, size: 64 },
  {
    magic: bytes(0, 4),
    clusterSize: u32(4),
    /** Of the L1 table and of each L2 table, in clusters. */
    tableSize: u32(8),
    /** In clusters. */
    headerSize: u32(12),
    features: flags64(16),
    compatibleFeatures: flags64(24),
    autoclearFeatures: flags64(32),
    l1TableOffset: u64(40),
    /** The guest's disk, in bytes. */
    imageSize: u64(48),
    backingNameOffset: u32(56),
    backingNameSize: u32(60),
  },
);
export type QedHeaderValues = StructValues<typeof QedHeaderFields.fields>;

/** Bit numbers of `features`. */
export const QedFeature = { backingFile: 0, needCheck: 1, backingFormatNoProbe: 2 } as const;
const KNOWN_FEATURES: readonly number[] = Object.values(QedFeature);

export const MIN_CLUSTER_SIZE = 4 * KiB;
export const MAX_CLUSTER_SIZE = 64 * MiB;
export const MAX_TABLE_SIZE = 16;
export const ENTRY_SIZE = 8;

/** QEMU cuts longer names off in silence, so that they would name another file. */
export const MAX_BACKING_NAME_SIZE = 1023;

/** One bit each is kept of a file's clusters; a longer file is mostly leaks, since no QED table reaches that far. */
export const MAX_CLUSTER_COUNT = 2 ** 30;

/** A header that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface QedHeader {
  readonly values: QedHeaderValues;
  readonly virtualSize: number;
  readonly clusterSize: number;
  /** Of the L1 table and of each L2 table. */
  readonly tableBytes: number;
  /** Entries of one table. */
  readonly entryCount: number;
  readonly headerBytes: number;
  readonly l1Offset: number;
  readonly fileSize: number;
  /** Whole clusters of the file; readers round its length down, so a part of one doesn't count. */
  readonly clusterCount: number;
  /** As stored; undefined without a backing file. An empty name means none, as QEMU reads it. */
  readonly backingName: Uint8Array | undefined;
}

/** The largest disk that tables of `tableSize` clusters can map, in bytes; beyond 2^53 it is only nearly exact. */
export function maxVirtualSize(clusterSize: number, tableSize: number): number {
  const entryCount = (clusterSize * tableSize) / ENTRY_SIZE;
  return entryCount * entryCount * clusterSize;
}

export function isQed(head: Uint8Array): boolean {
  return head.length >= QED_MAGIC.length && QED_MAGIC.every((byte, at) => head[at] === byte);
}

/** Reads and validates the header and the backing name; throws ImageError for the first rule that is broken. */
export async function readQedHeader(storage: Storage): Promise<QedHeader> {
  const refuse: Refuse = (kind, message, hostOffset = 0, remedy = undefined) => {
    const details = { format: "qed", path: storage.path, structure: "QED header", hostOffset, remedy };
    return new ImageError(kind, message, details);
  };
  const fileSize = await storage.size();
  const head = new Uint8Array(SECTOR_SIZE);
  const count = await storage.read(0, head);
  if (!isQed(head.subarray(0, count))) {
    throw refuse("not-this-format", "Cannot open the image as qed: it does not begin with the magic QED\\0");
  }
  const values = QedHeaderFields.parse(head.subarray(0, count));
  refuseSizes(values, refuse);
  refuseFeatures(values, refuse);

  const { clusterSize, l1TableOffset } = values;
  const tableBytes = values.tableSize * clusterSize;
  const headerBytes = values.headerSize * clusterSize;
  const wholeSize = alignDown(fileSize, clusterSize);
  const clusterCount = wholeSize / clusterSize;
  if (clusterCount > MAX_CLUSTER_COUNT) {
    throw refuse(
      "unsupported",
      `Cannot open the image: its file has ${counted(clusterCount, "cluster")}, more than ${MAX_CLUSTER_COUNT}`,
    );
  }
  if (headerBytes > wholeSize) {
    throw refuse("corrupt", `Cannot open the image: its header of ${headerBytes} bytes ends outside the file`);
  }
  if (!isAligned(l1TableOffset, clusterSize) || l1TableOffset < headerBytes || l1TableOffset + tableBytes > wholeSize) {
    const why = isAligned(l1TableOffset, clusterSize) ? "lies outside the file or in the header" : "is not aligned";
    throw refuse("corrupt", `Cannot open the image: host offset ${hex(l1TableOffset)} of the L1 table ${why}`, 40);
  }
  return {
    values,
    virtualSize: values.imageSize,
    clusterSize,
    tableBytes,
    entryCount: tableBytes / ENTRY_SIZE,
    headerBytes,
    l1Offset: l1TableOffset,
    fileSize,
    clusterCount,
    backingName: await readBackingName(storage, values, headerBytes, refuse),
  };
}

type Refuse = (kind: ImageErrorKind, message: string, hostOffset?: number, remedy?: string) => ImageError;

function refuseSizes(values: QedHeaderValues, refuse: Refuse): void {
  const { clusterSize, tableSize, headerSize, imageSize } = values;
  if (!isPowerOfTwo(clusterSize) || clusterSize < MIN_CLUSTER_SIZE || clusterSize > MAX_CLUSTER_SIZE) {
    throw refuse(
      "corrupt",
      `Cannot open the image: cluster size ${clusterSize} is no power of two from 4096 to 67108864`,
      4,
    );
  }
  if (!isPowerOfTwo(tableSize) || tableSize > MAX_TABLE_SIZE) {
    throw refuse("corrupt", `Cannot open the image: table size ${tableSize} is none of 1, 2, 4, 8, 16`, 8);
  }
  if (headerSize === 0) throw refuse("corrupt", "Cannot open the image: header size 0 is out of range", 12);
  if (!isAligned(imageSize, SECTOR_SIZE)) {
    throw refuse("corrupt", `Cannot open the image: image size ${imageSize} is no multiple of 512`, 48);
  }
  const limit = maxVirtualSize(clusterSize, tableSize);
  if (imageSize > limit) {
    throw refuse("corrupt", `Cannot open the image: image size ${imageSize} is beyond its tables' ${limit}`, 48);
  }
}

function refuseFeatures(values: QedHeaderValues, refuse: Refuse): void {
  const unknown = setBits(values.features).filter((bit) => !KNOWN_FEATURES.includes(bit));
  if (unknown.length > 0) {
    const [bits, are] = unknown.length === 1 ? ["bit", "is"] : ["bits", "are"];
    const newer = "a QEMU as new as the image may know it: make a copy without it with that one's qemu-img convert";
    const message = `Cannot open the image: feature ${bits} ${unknown.join(", ")} ${are} unknown`;
    throw refuse("unsupported", message, 16, newer);
  }
}

async function readBackingName(
  storage: Storage,
  values: QedHeaderValues,
  headerBytes: number,
  refuse: Refuse,
): Promise<Uint8Array | undefined> {
  const { backingNameOffset: at, backingNameSize: size } = values;
  if (!hasFlag(values.features, QedFeature.backingFile) || size === 0) return undefined;
  if (at < QedHeaderFields.size || at + size > headerBytes) {
    throw refuse(
      "corrupt",
      `Cannot open the image: its backing name of ${size} bytes at host offset ${hex(at)} lies outside the header`,
      56,
    );
  }
  if (size > MAX_BACKING_NAME_SIZE) {
    throw refuse(
      "unsupported",
      `Cannot open the image: its backing name of ${size} bytes is longer than ${MAX_BACKING_NAME_SIZE}`,
      60,
    );
  }
  return readExactly(storage, at, size, "backing name");
}
