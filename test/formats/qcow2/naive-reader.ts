/** Reads a small qcow2 in memory the slow and obvious way, with bigints, apart from all code under test. */

import { inflateRawSync, zstdDecompressSync } from "node:zlib";

export interface NaiveCluster {
  readonly guestCluster: number;
  readonly kind: "data" | "zero" | "compressed";
  /** Of the data; 0 for zero clusters. */
  readonly hostOffset: number;
  /** Bytes up to the end of a compressed cluster's last sector. */
  readonly storedLength: number;
}

export interface NaiveImage {
  readonly clusters: readonly NaiveCluster[];
  /** Refcount by host cluster, as the blocks say; clusters that count 0 are left out. */
  readonly refcounts: ReadonlyMap<number, number>;
  /** The same as counted by following every pointer. */
  readonly references: ReadonlyMap<number, number>;
}

export function readNaively(file: Uint8Array): NaiveImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u64 = (at: number): bigint => (at + 8 <= file.length ? view.getBigUint64(at) : 0n);
  const version = view.getUint32(4);
  const clusterBits = view.getUint32(20);
  const clusterSize = 2 ** clusterBits;
  const l1Size = view.getUint32(36);
  const l1Offset = Number(u64(40));
  const tableOffset = Number(u64(48));
  const tableClusters = view.getUint32(56);
  const refcountBits = version === 2 ? 16 : 2 ** view.getUint32(96);

  const references = new Map<number, number>();
  const refer = (hostOffset: number, length: number): void => {
    const last = Math.floor((hostOffset + length - 1) / clusterSize);
    for (let cluster = Math.floor(hostOffset / clusterSize); cluster <= last; cluster++) {
      references.set(cluster, (references.get(cluster) ?? 0) + 1);
    }
  };
  refer(0, clusterSize);
  if (l1Size > 0) refer(l1Offset, l1Size * 8);
  refer(tableOffset, tableClusters * clusterSize);

  const clusters: NaiveCluster[] = [];
  const offsetMask = 0x00ff_ffff_ffff_fe00n;
  for (let table = 0; table < l1Size; table++) {
    const l1Entry = u64(l1Offset + table * 8);
    if (l1Entry === 0n) continue;
    if (l1Entry >> 63n !== 1n) throw new Error(`L1 entry ${table} is not marked as counted once`);
    const l2Offset = Number(l1Entry & offsetMask);
    refer(l2Offset, clusterSize);
    for (let index = 0; index < clusterSize / 8; index++) {
      const entry = u64(l2Offset + index * 8);
      const guestCluster = table * (clusterSize / 8) + index;
      if (entry === 0n) continue;
      if ((entry >> 62n) & 1n) {
        const offsetBits = BigInt(62 - (clusterBits - 8));
        const hostOffset = Number(entry & ((1n << offsetBits) - 1n));
        const sectors = Number((entry & ((1n << 62n) - 1n)) >> offsetBits) + 1;
        const storedLength = sectors * 512 - (hostOffset % 512);
        refer(hostOffset, storedLength);
        clusters.push({ guestCluster, kind: "compressed", hostOffset, storedLength });
      } else if (entry === 1n) {
        clusters.push({ guestCluster, kind: "zero", hostOffset: 0, storedLength: 0 });
      } else {
        if (entry >> 63n !== 1n || (entry & 1n) === 1n)
          throw new Error(`L2 entry of guest cluster ${guestCluster} is odd`);
        const hostOffset = Number(entry & offsetMask);
        refer(hostOffset, clusterSize);
        clusters.push({ guestCluster, kind: "data", hostOffset, storedLength: 0 });
      }
    }
  }

  const refcounts = new Map<number, number>();
  const perBlock = (clusterSize * 8) / refcountBits;
  for (let block = 0; block < (tableClusters * clusterSize) / 8; block++) {
    const blockOffset = Number(u64(tableOffset + block * 8));
    if (blockOffset === 0) continue;
    refer(blockOffset, clusterSize);
    for (let index = 0; index < perBlock; index++) {
      const firstBit = index * refcountBits;
      const at = blockOffset + Math.floor(firstBit / 8);
      let count = 0n;
      if (refcountBits < 8) count = BigInt(((file[at] ?? 0) >> (firstBit % 8)) & (2 ** refcountBits - 1));
      else for (let byte = 0; byte < refcountBits / 8; byte++) count = (count << 8n) | BigInt(file[at + byte] ?? 0);
      if (count > 0n) refcounts.set(block * perBlock + index, Number(count));
    }
  }
  return { clusters, refcounts, references };
}

/** What the guest sees of the image alone: unallocated clusters, and what lies past the end of the file, are zeros. */
export function readQcow2Guest(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const clusterSize = 2 ** view.getUint32(20);
  const virtualSize = Number(view.getBigUint64(24));
  const isZstd = view.getUint32(4) === 3 && view.getUint32(100) > 104 && view.getUint8(104) === 1;
  const guest = new Uint8Array(Math.ceil(virtualSize / clusterSize) * clusterSize);
  for (const { guestCluster, kind, hostOffset, storedLength } of readNaively(file).clusters) {
    const guestOffset = guestCluster * clusterSize;
    if (kind === "zero" || guestOffset >= virtualSize) continue;
    const stored = file.subarray(hostOffset, hostOffset + (kind === "data" ? clusterSize : storedLength));
    const inflate = isZstd ? zstdDecompressSync : inflateRawSync;
    guest.set(kind === "data" ? stored : inflate(stored).subarray(0, clusterSize), guestOffset);
  }
  return guest.slice(0, virtualSize);
}
