/** Images of qemu-img with refcounts that are wrong, as a crash of a guest's host leaves them. */

import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";

const CLUSTER = 65536;

/** Counts one cluster past the end that nobody references: a leak. */
export function leakOne(path: string): void {
  const cluster = Math.ceil(statSync(path).size / CLUSTER);
  truncateSync(path, (cluster + 1) * CLUSTER);
  setRefcount(path, cluster, 1);
}

/** Takes the refcount of the last cluster, which data uses: a corruption that a repair mends without loss. */
export function corruptOne(path: string): void {
  setRefcount(path, Math.ceil(statSync(path).size / CLUSTER) - 1, 0);
}

/** 16-bit refcounts of the first refcount block, as `qemu-img create` makes them. */
function setRefcount(path: string, cluster: number, refcount: number): void {
  const bytes = readFileSync(path);
  const table = Number(bytes.readBigUInt64BE(48));
  const block = Number(bytes.readBigUInt64BE(table));
  bytes.writeUInt16BE(refcount, block + 2 * cluster);
  writeFileSync(path, bytes);
}
