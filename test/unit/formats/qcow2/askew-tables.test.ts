import { expect, it } from "vitest";
import { geometryOf } from "../../../../src/formats/qcow2/header/geometry.ts";
import { readHeader } from "../../../../src/formats/qcow2/header/header.ts";
import { ReferenceTally } from "../../../../src/formats/qcow2/tables/reference-tally.ts";
import { countSnapshots } from "../../../../src/formats/qcow2/tables/snapshot-table.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../../formats/qcow2/builder.ts";

/** Bytes of a snapshot table entry with the extra data of version 3 and no names. */
const ENTRY = 56;

it("one L1 table of askew entries, named by many snapshots, is not kept once for each", async () => {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
  const snapshotCount = 300;
  const l1 = at.end;
  const table = l1 + at.clusterSize;
  const image = Buffer.alloc(table + snapshotCount * ENTRY);
  bytes.copy(image);
  for (let index = 0; index < 512; index++) image.writeBigUInt64BE(BigInt(at.l2 + 512), l1 + index * 8);
  for (let index = 0; index < snapshotCount; index++) {
    image.writeBigUInt64BE(BigInt(l1), table + index * ENTRY);
    image.writeUInt32BE(512, table + index * ENTRY + 8);
    image.writeUInt32BE(16, table + index * ENTRY + 36);
  }
  image.writeUInt32BE(snapshotCount, 60);
  image.writeBigUInt64BE(BigInt(table), 64);
  const storage = memoryStorage(image);
  const header = await readHeader(storage);
  const geometry = geometryOf(header, image.length);
  const tally = new ReferenceTally(geometry);
  const lists = await countSnapshots({ storage, header, geometry, tally });
  expect(tally.findings.corruptions).toBe(snapshotCount * 512);
  // Views would keep the whole table's memory.
  const keptBytes = lists.reduce((sum, { hostOffset }) => sum + hostOffset.buffer.byteLength, 0);
  expect(keptBytes).toBe(256 * 8);
});
