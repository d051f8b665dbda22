/** A qcow2 of 512-byte clusters, made byte by byte, for chains of backing files: at most 32 KiB of disk. */

export interface Qcow2LayerDescription {
  /** Bytes; a multiple of 512, at most 32 KiB. */
  readonly virtualSize: number;
  /** Guest cluster to the byte it is filled with. */
  readonly data?: Readonly<Record<number, number>>;
  /** Guest clusters marked to read as zeros. */
  readonly zero?: readonly number[];
  /** As stored. */
  readonly backingName?: string | Uint8Array;
  readonly backingFormat?: string;
  /** Encryption method of the header. */
  readonly encryption?: number;
}

const CLUSTER = 512;

export function buildQcow2Layer(description: Qcow2LayerDescription): Uint8Array<ArrayBuffer> {
  const { virtualSize, data = {}, zero = [], backingName, backingFormat, encryption = 0 } = description;
  const file = Buffer.alloc((5 + Object.keys(data).length) * CLUSTER);
  file.write("QFI\xfb", "latin1");
  file.writeUInt32BE(3, 4);
  file.writeUInt32BE(9, 20);
  file.writeUInt32BE(virtualSize, 28);
  file.writeUInt32BE(encryption, 32);
  file.writeUInt32BE(1, 36);
  file.writeUInt32BE(3 * CLUSTER, 44);
  file.writeUInt32BE(1 * CLUSTER, 52);
  file.writeUInt32BE(1, 56);
  file.writeUInt32BE(4, 96);
  file.writeUInt32BE(104, 100);
  let next = 104;
  if (backingFormat !== undefined) {
    file.writeUInt32BE(0xe2792aca, next);
    file.writeUInt32BE(backingFormat.length, next + 4);
    file.write(backingFormat, next + 8);
    next += 8 + Math.ceil(backingFormat.length / 8) * 8;
  }
  next += 8;
  if (backingName !== undefined) {
    const name = Buffer.from(backingName as string);
    file.writeUInt32BE(next, 12);
    file.writeUInt32BE(name.length, 16);
    name.copy(file, next);
  }
  // Refcount table, its block, L1, L2, data; each cluster is counted once, 16 bits wide.
  file.writeUInt32BE(2 * CLUSTER, 1 * CLUSTER + 4);
  for (let cluster = 0; cluster < file.length / CLUSTER; cluster++) file.writeUInt16BE(1, 2 * CLUSTER + cluster * 2);
  file.writeUInt32BE(0x80000000, 3 * CLUSTER);
  file.writeUInt32BE(4 * CLUSTER, 3 * CLUSTER + 4);
  let place = 5 * CLUSTER;
  for (const [cluster, byte] of Object.entries(data)) {
    const entry = 4 * CLUSTER + Number(cluster) * 8;
    file.writeUInt32BE(0x80000000, entry);
    file.writeUInt32BE(place, entry + 4);
    file.fill(byte, place, place + CLUSTER);
    place += CLUSTER;
  }
  for (const cluster of zero) file.writeUInt32BE(1, 4 * CLUSTER + cluster * 8 + 4);
  return new Uint8Array(file);
}
