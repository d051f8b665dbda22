/** A qcow2 image whose data clusters lie in no order: the host offsets of its L2 entries, dealt anew among them. */

import { closeSync, openSync, readSync, writeSync } from "node:fs";

const OFFSET = 0x00ff_ffff_ffff_fe00n;

/** Every L2 entry of the image must have a data cluster, as after `preallocation=metadata`. The same shuffle each time. */
export function shuffleClusters(path: string): void {
  const file = openSync(path, "r+");
  const header = Buffer.alloc(104);
  readSync(file, header, 0, header.length, 0);
  const clusterBits = header.readUInt32BE(20);
  const tableSize = 2 ** clusterBits;
  const l1 = Buffer.alloc(8 * header.readUInt32BE(36));
  readSync(file, l1, 0, l1.length, Number(header.readBigUInt64BE(40)));
  const tables = Array.from({ length: l1.length / 8 }, (_, index) => Number(l1.readBigUInt64BE(8 * index) & OFFSET));
  const perTable = tableSize / 8;
  const clusters = new Uint32Array(tables.length * perTable);
  const table = Buffer.alloc(tableSize);
  let count = 0;
  for (const hostOffset of tables) {
    readSync(file, table, 0, tableSize, hostOffset);
    for (let entry = 0; entry < perTable; entry++) {
      const high = table.readUInt32BE(8 * entry) & 0x00ff_ffff;
      const cluster = (high * 2 ** 32 + table.readUInt32BE(8 * entry + 4)) / tableSize;
      if (cluster > 0) clusters[count++] = cluster;
    }
  }
  let state = 1;
  for (let left = count; left > 1; left--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const chosen = Math.floor((state / 2 ** 32) * left);
    const last = clusters[left - 1] as number;
    clusters[left - 1] = clusters[chosen] as number;
    clusters[chosen] = last;
  }
  let dealt = 0;
  for (const hostOffset of tables) {
    readSync(file, table, 0, tableSize, hostOffset);
    for (let entry = 0; entry < perTable && dealt < count; entry++) {
      const place = (clusters[dealt++] as number) * tableSize;
      table.writeUInt32BE((Math.floor(place / 2 ** 32) | 0x8000_0000) >>> 0, 8 * entry);
      table.writeUInt32BE(place % 2 ** 32, 8 * entry + 4);
    }
    writeSync(file, table, 0, tableSize, hostOffset);
  }
  closeSync(file);
}
