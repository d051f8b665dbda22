/**
 * Images of a huge disk whose tables are real and whose data are holes: the tables alone cost time.
 *
 *   QED     header | L1 (4 clusters) | L2 tables (4 clusters each) | data
 *   qcow2   header | refcount table | refcount blocks | L1 | L2 tables | data
 */

import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

const CLUSTER = 65_536;
const QED_TABLE = 4 * CLUSTER;

/** Stretches of guest clusters that hold data, ascending. */
export type Stretch = readonly [firstCluster: number, clusterCount: number];

/** Stretches of a few hundred KiB to some MiB, spread over the whole disk until `allocatedBytes` are reached. */
export function spreadOver(virtualSize: number, allocatedBytes: number): Stretch[] {
  const stretches: Stretch[] = [];
  const wanted = allocatedBytes / CLUSTER;
  const count = Math.min(wanted, Math.max(1, Math.round(allocatedBytes / (4 * 1024 * 1024))));
  const every = virtualSize / CLUSTER / count;
  let [taken, state] = [0, 1];
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const left = wanted - taken;
    const length = index === count - 1 ? left : Math.min(left, 4 + ((state >>> 8) % 121));
    stretches.push([Math.floor(index * every), Math.min(length, Math.floor(every))]);
    taken += length;
  }
  return stretches;
}

/** One stretch at the start of the disk. */
export function packed(allocatedBytes: number): Stretch[] {
  return [[0, allocatedBytes / CLUSTER]];
}

export function writeQed(path: string, virtualSize: number, stretches: readonly Stretch[]): void {
  const tables = tablesOf(stretches, QED_TABLE / 8);
  const firstData = CLUSTER + QED_TABLE * (1 + tables.size);
  const l1 = new DataView(new ArrayBuffer(QED_TABLE));
  const file = openSync(path, "w");
  let [tableAt, dataAt] = [CLUSTER + QED_TABLE, firstData];
  for (const [index, clusters] of tables) {
    const table = new DataView(new ArrayBuffer(QED_TABLE));
    for (const cluster of clusters) {
      table.setBigUint64(8 * cluster, BigInt(dataAt), true);
      dataAt += CLUSTER;
    }
    writeSync(file, table, 0, QED_TABLE, tableAt);
    l1.setBigUint64(8 * index, BigInt(tableAt), true);
    tableAt += QED_TABLE;
  }
  const header = new DataView(new ArrayBuffer(64));
  header.setUint32(0, 0x00444551, true);
  header.setUint32(4, CLUSTER, true);
  header.setUint32(8, 4, true);
  header.setUint32(12, 1, true);
  header.setBigUint64(40, BigInt(CLUSTER), true);
  header.setBigUint64(48, BigInt(virtualSize), true);
  writeSync(file, header, 0, 64, 0);
  writeSync(file, l1, 0, QED_TABLE, CLUSTER);
  ftruncateSync(file, dataAt);
  closeSync(file);
}

export function writeQcow2(path: string, virtualSize: number, stretches: readonly Stretch[]): void {
  const entries = CLUSTER / 8;
  const tables = tablesOf(stretches, entries);
  const l1Size = Math.ceil(virtualSize / CLUSTER / entries);
  const l1Clusters = Math.ceil((8 * l1Size) / CLUSTER);
  const dataClusters = stretches.reduce((sum, [, count]) => sum + count, 0);
  const others = 1 + 1 + l1Clusters + tables.size + dataClusters;
  const blockCount = Math.ceil(others / (CLUSTER / 2 - 1));
  const clusterCount = others + blockCount;
  const l1At = (2 + blockCount) * CLUSTER;
  const file = openSync(path, "w");
  const copied = 2n ** 63n;
  const l1 = new DataView(new ArrayBuffer(l1Clusters * CLUSTER));
  let tableAt = l1At + l1Clusters * CLUSTER;
  let dataAt = tableAt + tables.size * CLUSTER;
  for (const [index, clusters] of tables) {
    const table = new DataView(new ArrayBuffer(CLUSTER));
    for (const cluster of clusters) {
      table.setBigUint64(8 * cluster, copied + BigInt(dataAt));
      dataAt += CLUSTER;
    }
    writeSync(file, table, 0, CLUSTER, tableAt);
    l1.setBigUint64(8 * index, copied + BigInt(tableAt));
    tableAt += CLUSTER;
  }
  writeSync(file, l1, 0, l1.byteLength, l1At);
  const refcountTable = new DataView(new ArrayBuffer(CLUSTER));
  for (let block = 0; block < blockCount; block++) {
    refcountTable.setBigUint64(8 * block, BigInt((2 + block) * CLUSTER));
    const counts = new DataView(new ArrayBuffer(CLUSTER));
    const covered = Math.min(CLUSTER / 2, clusterCount - block * (CLUSTER / 2));
    for (let cluster = 0; cluster < covered; cluster++) counts.setUint16(2 * cluster, 1);
    writeSync(file, counts, 0, CLUSTER, (2 + block) * CLUSTER);
  }
  writeSync(file, refcountTable, 0, CLUSTER, CLUSTER);
  const header = new DataView(new ArrayBuffer(112));
  header.setUint32(0, 0x514649fb);
  header.setUint32(4, 3);
  header.setUint32(20, 16);
  header.setBigUint64(24, BigInt(virtualSize));
  header.setUint32(36, l1Size);
  header.setBigUint64(40, BigInt(l1At));
  header.setBigUint64(48, BigInt(CLUSTER));
  header.setUint32(56, 1);
  header.setUint32(96, 4);
  header.setUint32(100, 104);
  writeSync(file, header, 0, 112, 0);
  ftruncateSync(file, dataAt);
  closeSync(file);
}

/** Table index to the entries in it that are used. */
function tablesOf(stretches: readonly Stretch[], entries: number): Map<number, number[]> {
  const tables = new Map<number, number[]>();
  for (const [first, count] of stretches) {
    for (let cluster = first; cluster < first + count; cluster++) {
      const index = Math.floor(cluster / entries);
      const clusters = tables.get(index);
      if (clusters) clusters.push(cluster % entries);
      else tables.set(index, [cluster % entries]);
    }
  }
  return tables;
}
