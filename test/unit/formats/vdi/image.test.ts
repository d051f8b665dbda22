import { expect, test } from "vitest";
import { openVdi } from "../../../../src/formats/vdi/image.ts";
import { ExtentState } from "../../../../src/image/extent.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildVdi, MiB } from "../../../formats/vdi/builder.ts";

const image = () => buildVdi({ virtualSize: 2 * MiB, data: [1] }).bytes;

test("the header's cluster keeps its map from whoever writes there while the image lives", async () => {
  const { usedHeader } = (await openVdi(memoryStorage(image()))).getConversionOptions();
  expect(usedHeader.contains(0, 512 + 2 * 4)).toBe(true);
});

test("a map says of each block what its entry does, whole pieces of entries without a block included", async () => {
  const blockCount = 600_000;
  const dataOffset = Math.ceil((512 + blockCount * 4) / 512) * 512;
  const bytes = Buffer.alloc(dataOffset + MiB, 0xff);
  bytes.set(image().subarray(0, 512));
  bytes.writeUInt32LE(dataOffset, 344);
  bytes.writeBigUInt64LE(BigInt(blockCount * MiB - 512), 368);
  bytes.writeUInt32LE(blockCount, 384);
  for (const block of [2, 262_143, 262_144, blockCount - 2]) bytes.writeUInt32LE(0xffff_fffe, 512 + block * 4);
  bytes.writeUInt32LE(0, 512 + 300_000 * 4);
  const { count, guestOffset, state } = await (await openVdi(memoryStorage(bytes))).getMapping();
  const { data, zero, unallocated } = ExtentState;
  expect(Array.from({ length: count }, (_, row) => [(guestOffset[row] as number) / MiB, state[row]])).toEqual([
    [0, unallocated],
    [2, zero],
    [3, unallocated],
    [262_143, zero],
    [262_145, unallocated],
    [300_000, data],
    [300_001, unallocated],
    [blockCount - 2, zero],
    [blockCount - 1, unallocated],
  ]);
});

test("a map of entries by the hundred million that a sparse file claims is counted, and only some of it told", async () => {
  const entryCount = 1_000_000;
  const head = Buffer.alloc(512);
  head.set(image().subarray(0, 512));
  head.writeUInt32LE(Math.ceil((512 + entryCount * 4) / 512) * 512, 344);
  head.writeUInt32LE(entryCount, 384);
  const bytes = new Uint8Array(512 + entryCount * 4);
  bytes.set(head);
  let told = 0;
  const found = await checkOf(await openVdi(memoryStorage(bytes)), () => void told++);
  // All entries but the first name block 0 as that does, and the header says that one is allocated.
  expect(found.corruptions).toBe(entryCount);
  expect(told).toBeLessThan(200_000);
});
