/** Flat VMDKs in a pipeline: two files, one image, its path told, its name its format's. */

import { expect, test } from "vitest";
import { Runner, tool } from "./runner.ts";

const FLAT = "subformat=monolithicFlat";

test("flat VMDK to qcow2, to raw, to flat VMDK: the same disk, one image of a glob's two files", async () => {
  const runner = new Runner();
  tool("qemu-img", "create", "-q", "-f", "vmdk", "-o", FLAT, runner.path("disk.vmdk"), "8M");
  tool("qemu-io", "-t", "unsafe", "-f", "vmdk", "-c", "write -P 7 1M 192k", runner.path("disk.vmdk"));
  const guest = runner.guestDigest("disk.vmdk");

  const asQcow2 = await runner.main({ image: "*.vmdk", "target-format": "qcow2", checksum: "sha256" });
  expect(asQcow2).toMatchObject({ exitCode: 0, outputs: { image: "disk.qcow2", "checksum-before": guest } });
  expect(runner.names).toEqual(["disk.qcow2"]);
  expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");

  const parts = { image: "disk.qcow2", "target-format": "vmdk", options: "subformat=twoGbMaxExtentSparse" };
  const unwritten = await runner.main(parts);
  expect(unwritten.exitCode).toBe(1);
  expect(unwritten.annotations).toMatchObject([
    { message: expect.stringContaining("use monolithicFlat, monolithicSparse, streamOptimized") },
  ]);

  await runner.main({ image: "disk.qcow2", "target-format": "raw" });
  expect(runner.names).toEqual(["disk.raw"]);
  const asFlat = await runner.main({
    image: "disk.raw",
    "source-format": "raw",
    "target-format": "vmdk",
    options: FLAT,
  });
  expect(asFlat).toMatchObject({ exitCode: 0, outputs: { image: "disk.vmdk", format: "vmdk" } });
  expect(runner.names).toEqual(["disk.raw", "disk.vmdk"]);
  expect(JSON.parse(asFlat.outputs.images ?? "")).toMatchObject([
    { "image-after": "disk.vmdk", "disk-file": "disk.raw" },
  ]);
  expect(runner.guestDigest("disk.vmdk")).toBe(guest);

  const taken = await runner.main({ image: "disk.vmdk", "target-format": "raw" });
  expect(taken.annotations).toMatchObject([{ message: expect.stringContaining("disk.raw") }]);
  const kept = await runner.main({ image: "disk.vmdk", "target-format": "raw", rename: "false" });
  expect(kept).toMatchObject({ exitCode: 0, outputs: { image: "disk.raw", format: "raw" } });
  expect(runner.names).toEqual(["disk.raw"]);
});
