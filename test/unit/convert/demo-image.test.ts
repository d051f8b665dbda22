import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { demoCluster, writeDemoImage } from "../../../src/convert/demo-image.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { ExtentState, eachExtent } from "../../../src/image/extent.ts";
import { checkOf } from "../../../src/image/source.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";

const CLUSTER = 65536;

test("the demo's image is a clean QED with known contents", async () => {
  const volume = new MemoryVolume();
  const storage = await volume.createExclusively("demo.img");
  if (storage === undefined) throw new Error("the name is free");
  const made = await writeDemoImage(storage);
  const image = await openImage(storage);
  expect(image.format).toBe("qed");
  expect(image.virtualSize).toBe(made.virtualSize);
  expect(await storage.size()).toBe(made.fileSize);
  expect(await checkOf(image)).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0 });

  const bytes = volume.snapshot("demo.img");
  let dataBytes = 0;
  for (const { state, guestOffset, hostOffset, length } of eachExtent(await image.getMapping())) {
    expect([ExtentState.data, ExtentState.zero, ExtentState.unallocated]).toContain(state);
    if (state !== ExtentState.data) continue;
    dataBytes += length;
    for (let at = 0; at < length; at += CLUSTER) {
      const stored = Buffer.from(bytes.buffer, bytes.byteOffset + hostOffset + at, CLUSTER);
      expect(stored.equals(demoCluster((guestOffset + at) / CLUSTER))).toBe(true);
    }
  }
  expect(dataBytes).toBe(made.dataBytes);
  // Whatever is shown must be the same for everyone.
  expect(createHash("sha256").update(bytes).digest("hex")).toMatchInlineSnapshot(
    `"c8702d019d4e39bf3f565d95a21ecef6251f169d04ce72ebdf9918c6f7555322"`,
  );
});
