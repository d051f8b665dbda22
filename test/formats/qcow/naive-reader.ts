/** Reads a small qcow (version 1) in memory the slow and obvious way, with bigints, apart from all code under test. */

import { inflateRawSync } from "node:zlib";

export interface NaiveQcow {
  readonly guest: Uint8Array;
  /** `data`, `compressed` or `-` for each guest cluster. */
  readonly states: readonly string[];
  /** How many use each byte of the file. */
  readonly users: Uint8Array;
}

/** Follows every pointer; what lies past the end of the file is zeros. */
export function readQcowNaively(file: Uint8Array): NaiveQcow {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.toString("latin1", 0, 8) !== "QFI\xfb\0\0\0\x01") throw new Error("no qcow of version 1");
  if (bytes.readUInt32BE(36) !== 0) throw new Error("it is encrypted");
  const users = new Uint8Array(file.length);
  const use = (start: number, length: number) => {
    for (let at = start; at < Math.min(start + length, file.length); at++) users[at] = (users[at] as number) + 1;
  };
  const virtualSize = Number(bytes.readBigUInt64BE(24));
  const [clusterBits, l2Bits] = [bytes.readUInt8(32), bytes.readUInt8(33)];
  const clusterSize = 2 ** clusterBits;
  const perTable = 2 ** l2Bits;
  const l1Offset = Number(bytes.readBigUInt64BE(40));
  const clusterCount = Math.ceil(virtualSize / clusterSize);
  use(0, 48);
  use(Number(bytes.readBigUInt64BE(8)), bytes.readUInt32BE(16));
  use(l1Offset, Math.ceil(clusterCount / perTable) * 8);
  const guest = Buffer.alloc(clusterCount * clusterSize);
  const states: string[] = [];
  for (let cluster = 0; cluster < clusterCount; cluster++) {
    const table = Number(bytes.readBigUInt64BE(l1Offset + Math.floor(cluster / perTable) * 8));
    if (table !== 0 && cluster % perTable === 0) use(table, perTable * 8);
    const entry = table === 0 ? 0n : bytes.readBigUInt64BE(table + (cluster % perTable) * 8);
    states.push(entry === 0n ? "-" : entry >> 63n === 1n ? "compressed" : "data");
    if (entry === 0n) continue;
    if (entry >> 63n === 0n) {
      const hostOffset = Number(entry);
      guest.set(bytes.subarray(hostOffset, hostOffset + clusterSize), cluster * clusterSize);
      use(hostOffset, clusterSize);
    } else {
      const offsetBits = BigInt(63 - clusterBits);
      const hostOffset = Number(entry & ((1n << offsetBits) - 1n));
      const length = Number((entry & ((1n << 63n) - 1n)) >> offsetBits);
      guest.set(inflateRawSync(bytes.subarray(hostOffset, hostOffset + length)), cluster * clusterSize);
      use(hostOffset, length);
    }
  }
  return { guest: new Uint8Array(guest.subarray(0, virtualSize)), states, users };
}
