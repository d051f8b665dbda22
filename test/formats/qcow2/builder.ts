/** Makes small qcow2 images byte by byte, by nothing of `src/`: every structure at a known place, to be damaged. */

export interface Qcow2ImageDescription {
  /** Default 9: clusters of 512 bytes. */
  readonly clusterBits?: number;
  readonly version?: 2 | 3;
  readonly backingName?: string;
  readonly backingFormat?: string;
  readonly extensions?: readonly { readonly type: number; readonly data: Buffer }[];
  readonly incompatible?: bigint;
  readonly compatible?: bigint;
  readonly autoclear?: bigint;
  readonly snapshot?: boolean;
  readonly bitmap?: boolean;
  /** The bytes of a compressed cluster, guest cluster 3. */
  readonly compressed?: Buffer;
}

/** Host offsets. Guest clusters 0 and 1 lie at `data` and behind it, 2 reads as zeros (version 3). */
export interface Qcow2Places {
  readonly clusterSize: number;
  readonly refcountTable: number;
  readonly refcountBlock: number;
  readonly l1: number;
  readonly l2: number;
  readonly data: number;
  readonly compressed: number;
  readonly snapshots: number;
  readonly bitmapDirectory: number;
  readonly bitmapTable: number;
  readonly end: number;
}

const COPIED = 1n << 63n;
const COMPRESSED = 1n << 62n;

/** A disk of 64 clusters, or of as many as one L2 table maps. */
export function buildQcow2Image(description: Qcow2ImageDescription = {}): { bytes: Buffer; at: Qcow2Places } {
  const { clusterBits = 9, version = 3, snapshot = false, bitmap = false, compressed } = description;
  const clusterSize = 2 ** clusterBits;
  let next = 0;
  const take = (count: number): number => {
    const place = next;
    next += count * clusterSize;
    return place;
  };
  take(1);
  const at: Qcow2Places = {
    clusterSize,
    refcountTable: take(1),
    refcountBlock: take(1),
    l1: take(1),
    l2: take(1),
    data: take(2),
    compressed: compressed === undefined ? 0 : take(1),
    snapshots: snapshot ? take(2) : 0,
    bitmapDirectory: bitmap ? take(1) : 0,
    bitmapTable: bitmap ? take(1) : 0,
    end: next,
  };
  const bytes = Buffer.alloc(next);
  const virtualSize = BigInt(Math.min(64, clusterSize / 8) * clusterSize);
  const copied = snapshot ? 0n : COPIED;
  bytes.writeBigUInt64BE(copied | BigInt(at.l2), at.l1);
  bytes.writeBigUInt64BE(copied | BigInt(at.data), at.l2);
  bytes.writeBigUInt64BE(copied | BigInt(at.data + clusterSize), at.l2 + 8);
  if (version === 3) bytes.writeBigUInt64BE(1n, at.l2 + 16);
  bytes.fill(0x41, at.data, at.data + clusterSize);
  bytes.fill(0x42, at.data + clusterSize, at.data + 2 * clusterSize);
  if (compressed !== undefined) {
    const sectors = Math.ceil(compressed.length / 512) - 1;
    const entry = COMPRESSED | (BigInt(sectors) << BigInt(70 - clusterBits)) | BigInt(at.compressed);
    bytes.writeBigUInt64BE(entry, at.l2 + 24);
    compressed.copy(bytes, at.compressed);
  }
  bytes.writeBigUInt64BE(BigInt(at.refcountBlock), at.refcountTable);
  for (let cluster = 0; cluster < next / clusterSize; cluster++) {
    const place = cluster * clusterSize;
    const isShared = snapshot && (place === at.l2 || place === at.data || place === at.data + clusterSize);
    bytes.writeUInt16BE(isShared ? 2 : 1, at.refcountBlock + cluster * 2);
  }
  if (snapshot) writeSnapshot(bytes, at, virtualSize);
  if (bitmap) writeBitmap(bytes, at);
  writeHeader(bytes, description, at, virtualSize);
  return { bytes, at };
}

/** One snapshot, `1` by id and `one` by name; its L1 table lies in the cluster behind the snapshot table. */
function writeSnapshot(bytes: Buffer, at: Qcow2Places, virtualSize: bigint): void {
  const l1 = at.snapshots + at.clusterSize;
  bytes.writeBigUInt64BE(BigInt(at.l2), l1);
  bytes.writeBigUInt64BE(BigInt(l1), at.snapshots);
  bytes.writeUInt32BE(1, at.snapshots + 8);
  bytes.writeUInt16BE(1, at.snapshots + 12);
  bytes.writeUInt16BE(3, at.snapshots + 14);
  bytes.writeUInt32BE(16, at.snapshots + 36);
  bytes.writeBigUInt64BE(virtualSize, at.snapshots + 48);
  bytes.write("1one", at.snapshots + 56);
}

/** One bitmap, `old`, whose table has one entry: all zeros. */
function writeBitmap(bytes: Buffer, at: Qcow2Places): void {
  bytes.writeBigUInt64BE(BigInt(at.bitmapTable), at.bitmapDirectory);
  bytes.writeUInt32BE(1, at.bitmapDirectory + 8);
  bytes[at.bitmapDirectory + 16] = 1;
  bytes[at.bitmapDirectory + 17] = 16;
  bytes.writeUInt16BE(3, at.bitmapDirectory + 18);
  bytes.write("old", at.bitmapDirectory + 24);
}

function writeHeader(bytes: Buffer, description: Qcow2ImageDescription, at: Qcow2Places, virtualSize: bigint): void {
  const { clusterBits = 9, version = 3, backingName, backingFormat, snapshot = false, bitmap = false } = description;
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(version, 4);
  bytes.writeUInt32BE(clusterBits, 20);
  bytes.writeBigUInt64BE(virtualSize, 24);
  bytes.writeUInt32BE(1, 36);
  bytes.writeBigUInt64BE(BigInt(at.l1), 40);
  bytes.writeBigUInt64BE(BigInt(at.refcountTable), 48);
  bytes.writeUInt32BE(1, 56);
  if (snapshot) {
    bytes.writeUInt32BE(1, 60);
    bytes.writeBigUInt64BE(BigInt(at.snapshots), 64);
  }
  if (version === 3) {
    bytes.writeBigUInt64BE(description.incompatible ?? 0n, 72);
    bytes.writeBigUInt64BE(description.compatible ?? 0n, 80);
    bytes.writeBigUInt64BE((description.autoclear ?? 0n) | (bitmap ? 1n : 0n), 88);
    bytes.writeUInt32BE(4, 96);
    bytes.writeUInt32BE(104, 100);
  }
  let next = version === 3 ? 104 : 72;
  const extend = (type: number, data: Buffer) => {
    bytes.writeUInt32BE(type, next);
    bytes.writeUInt32BE(data.length, next + 4);
    data.copy(bytes, next + 8);
    next += 8 + Math.ceil(data.length / 8) * 8;
  };
  if (backingFormat !== undefined) extend(0xe2792aca, Buffer.from(backingFormat));
  if (bitmap) {
    const data = Buffer.alloc(24);
    data.writeUInt32BE(1, 0);
    data.writeBigUInt64BE(32n, 8);
    data.writeBigUInt64BE(BigInt(at.bitmapDirectory), 16);
    extend(0x23852875, data);
  }
  for (const { type, data } of description.extensions ?? []) extend(type, data);
  extend(0, Buffer.alloc(0));
  if (backingName === undefined) return;
  bytes.writeBigUInt64BE(BigInt(next), 8);
  bytes.writeUInt32BE(Buffer.byteLength(backingName), 16);
  bytes.write(backingName, next);
}
