import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { demoCluster, demoClusters, writeDemoImage } from "../../../src/convert/demo-image.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";

const CLUSTER = 65536;

test("the demo's disk is raw, with known contents", async () => {
  const volume = new MemoryVolume();
  const storage = await volume.createExclusively("demo.raw");
  if (storage === undefined) throw new Error("the name is free");
  const made = await writeDemoImage(storage);
  const bytes = volume.snapshot("demo.raw");
  expect(made).toEqual({
    virtualSize: bytes.length,
    fileSize: bytes.length,
    dataBytes: demoClusters().length * CLUSTER,
  });
  for (let index = 0; index < bytes.length / CLUSTER; index++) {
    const stored = Buffer.from(bytes.buffer, bytes.byteOffset + index * CLUSTER, CLUSTER);
    const wanted = demoClusters().includes(index) ? demoCluster(index) : new Uint8Array(CLUSTER);
    expect(stored.equals(wanted)).toBe(true);
  }
  // Whatever is shown must be the same for everyone.
  expect(createHash("sha256").update(bytes).digest("hex")).toMatchInlineSnapshot(
    `"43a9690e18a3af9477669d447f7bf0aa93dea7c8a306be81f0149196e6816a3f"`,
  );
});
