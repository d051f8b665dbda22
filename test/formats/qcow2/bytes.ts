/** Small qcow2 images built byte by byte, for tests that need to know and to break every one of them. */

export interface Qcow2Shape {
  readonly version?: 2 | 3;
  readonly clusterBits?: number;
  /** In bytes. */
  readonly virtualSize?: number;
  /** Data clusters, allocated for the first guest clusters in order. */
  readonly dataClusters?: number;
  /** Further clusters at the end of the file that nothing references, with refcount 0. */
  readonly spareClusters?: number;
  readonly hasSubclusters?: boolean;
  readonly refcountOrder?: number;
  readonly compression?: "zlib" | "zstd";
}

export const COPIED = 1n << 63n;
export const COMPRESSED = 1n << 62n;

/** Clusters 0 to 4: header, refcount table, refcount block, L1, L2; then the data. */
export const HostCluster = { header: 0, refcountTable: 1, refcountBlock: 2, l1: 3, l2: 4, data: 5 } as const;

export class Qcow2Bytes {
  readonly bytes: Buffer;
  readonly clusterSize: number;
  readonly dataClusters: number;
  readonly #entrySize: number;
  readonly #refcountBits: number;

  constructor(shape: Qcow2Shape = {}) {
    const { version = 3, clusterBits = 12, dataClusters = 4, spareClusters = 0, refcountOrder = 4 } = shape;
    const hasSubclusters = shape.hasSubclusters ?? false;
    this.clusterSize = 2 ** clusterBits;
    this.dataClusters = dataClusters;
    this.#entrySize = hasSubclusters ? 16 : 8;
    this.#refcountBits = 2 ** refcountOrder;
    const usedClusters = HostCluster.data + dataClusters;
    this.bytes = Buffer.alloc((usedClusters + spareClusters) * this.clusterSize);
    const virtualSize = shape.virtualSize ?? 16 * this.clusterSize;
    const bytesPerTable = (this.clusterSize / this.#entrySize) * this.clusterSize;
    this.bytes.writeUInt32BE(0x514649fb, 0);
    this.bytes.writeUInt32BE(version, 4);
    this.bytes.writeUInt32BE(clusterBits, 20);
    this.set64(24, BigInt(virtualSize));
    this.bytes.writeUInt32BE(Math.ceil(virtualSize / bytesPerTable), 36);
    this.set64(40, BigInt(this.hostOffset(HostCluster.l1)));
    this.set64(48, BigInt(this.hostOffset(HostCluster.refcountTable)));
    this.bytes.writeUInt32BE(1, 56);
    if (version === 3) {
      const isZstd = shape.compression === "zstd";
      this.bytes.writeUInt32BE((hasSubclusters ? 16 : 0) | (isZstd ? 8 : 0), 76);
      this.bytes.writeUInt32BE(refcountOrder, 96);
      this.bytes.writeUInt32BE(112, 100);
      this.bytes.writeUInt8(isZstd ? 1 : 0, 104);
    }
    this.set64(this.hostOffset(HostCluster.refcountTable), BigInt(this.hostOffset(HostCluster.refcountBlock)));
    this.set64(this.l1Entry(0), COPIED | BigInt(this.hostOffset(HostCluster.l2)));
    for (let index = 0; index < dataClusters; index++) {
      this.set64(this.l2Entry(index), COPIED | BigInt(this.hostOffset(HostCluster.data + index)));
      if (hasSubclusters) this.set64(this.l2Entry(index) + 8, 0xffff_ffffn);
      this.bytes.fill(
        index + 1,
        this.hostOffset(HostCluster.data + index),
        this.hostOffset(HostCluster.data + index + 1),
      );
    }
    for (let cluster = 0; cluster < usedClusters; cluster++) this.setRefcount(cluster, 1);
  }

  hostOffset(cluster: number): number {
    return cluster * this.clusterSize;
  }

  /** Host offset of an L1 entry. */
  l1Entry(index: number): number {
    return this.hostOffset(HostCluster.l1) + index * 8;
  }

  /** Host offset of an entry of the one L2 table. */
  l2Entry(index: number): number {
    return this.hostOffset(HostCluster.l2) + index * this.#entrySize;
  }

  get64(at: number): bigint {
    return this.bytes.readBigUInt64BE(at);
  }

  set64(at: number, value: bigint): this {
    this.bytes.writeBigUInt64BE(value, at);
    return this;
  }

  set32(at: number, value: number): this {
    this.bytes.writeUInt32BE(value, at);
    return this;
  }

  setRefcount(cluster: number, count: number): this {
    const block = this.hostOffset(HostCluster.refcountBlock);
    const bits = this.#refcountBits;
    if (bits === 64) return this.set64(block + cluster * 8, BigInt(count));
    if (bits >= 8) {
      this.bytes.writeUIntBE(count, block + (cluster * bits) / 8, bits / 8);
      return this;
    }
    const at = block + Math.floor((cluster * bits) / 8);
    const shift = (cluster * bits) % 8;
    const mask = (2 ** bits - 1) << shift;
    this.bytes[at] = ((this.bytes[at] as number) & ~mask) | (count << shift);
    return this;
  }
}
