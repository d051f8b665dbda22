/** What a VHDX's structures may say: each rule by an image that breaks it, in memory; and who lies to the driver with right sums. */

import { expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { vhdxDriver } from "../../../../src/formats/vhdx/driver.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { kindOf } from "../../../corpus/case.ts";
import { buildVhdx } from "../../../formats/vhdx/builder.ts";
import { crc32c, MiB, seal, sealAll } from "../../../formats/vhdx/bytes.ts";
import { vhdxFurtherCases } from "../../../formats/vhdx/cases.ts";
import { buildDirty, SECTOR } from "../../../formats/vhdx/dirty.ts";
import { vhdxFieldSites } from "../../../formats/vhdx/field-sites.ts";
import { mutate } from "../../../fuzz/mutator.ts";
import { openWith } from "../../../support/open-with.ts";
import { seededRandom } from "../../../support/random.ts";

const opened = (bytes: Uint8Array) => openWith(vhdxDriver, memoryStorage(bytes));

/** All that is asked of a source. */
async function useAll(bytes: Uint8Array): Promise<void> {
  const image = await opened(bytes);
  const { findings } = await checkOf(image);
  const [first] = findings.filter(({ severity }) => severity !== "error");
  if (first !== undefined) throw new ImageError("corrupt", first.message);
  await image.getMapping();
  await image.getMetadataRanges();
  await image.planRepair?.({ scope: "all", allowDataLoss: true });
}

test("the checksum is CRC-32C, by its well-known vector", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe306_9283);
});

test.each(vhdxFurtherCases.map((each) => [each.name, each] as const))("%s", async (_name, case_) => {
  const error = await useAll(case_.bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: "ImageError", kind: kindOf(case_) });
  expect((error as ImageError).message).toMatch(case_.says as RegExp);
});

test("fields that lie under right sums: an ImageError, or another image, and nothing else", async () => {
  const image = buildVhdx({ virtualSize: 2 * MiB, data: [0, 300] }).bytes;
  const fields = vhdxFieldSites(image);
  let refused = 0;
  for (let seed = 0; seed < 150; seed++) {
    const { bytes, story } = mutate(image, fields, seededRandom(seed));
    if (bytes.length >= 320 * 1024) sealAll(bytes);
    await useAll(bytes).catch((error: unknown) => {
      expect(error, story.join("; ")).toBeInstanceOf(ImageError);
      refused++;
    });
  }
  expect(refused).toBeGreaterThan(50);
});

test("logs that lie under right sums: the same", async () => {
  const dirty = buildDirty({ done: 1, hasMetadata: true }).bytes;
  for (let seed = 0; seed < 150; seed++) {
    const random = seededRandom(seed);
    const bytes = Buffer.from(dirty);
    const at = MiB + 2 * SECTOR * random.below(3);
    const field = random.pick([8, 12, 16, 24, 48, 56, 72, 80, 88, 104, 112, 120]);
    const value = random.pick([0n, 1n, 4096n, 8192n, BigInt(MiB), 2n ** 32n - 4096n, 2n ** 53n, 2n ** 64n - 4096n]);
    bytes.writeBigUInt64LE(
      random.chance(0.5) ? value : bytes.readBigUInt64LE(at + field) ^ (1n << BigInt(random.below(64))),
      at + field,
    );
    const length = bytes.readUInt32LE(at + 8);
    if (length >= SECTOR && at + length <= 2 * MiB) seal(bytes.subarray(at, at + length));
    await useAll(bytes).catch((error: unknown) => expect(error, `seed ${seed}`).toBeInstanceOf(ImageError));
  }
});
