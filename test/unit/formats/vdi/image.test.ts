import { expect, test } from "vitest";
import { openVdi } from "../../../../src/formats/vdi/image.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildVdi, MiB } from "../../../formats/vdi/builder.ts";

const image = () => buildVdi({ virtualSize: 2 * MiB, data: [1] }).bytes;

test("the header's cluster keeps its map from whoever writes there while the image lives", async () => {
  const { usedHeader } = (await openVdi(memoryStorage(image()))).getConversionOptions();
  expect(usedHeader.contains(0, 512 + 2 * 4)).toBe(true);
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
