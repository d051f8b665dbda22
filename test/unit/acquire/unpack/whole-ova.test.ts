/** Which archives are kept as they come, to be converted where they stand, and that no byte of them is lost by the look. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ByteReader } from "../../../../src/acquire/unpack/byte-reader.ts";
import { isWholeOva } from "../../../../src/acquire/unpack/whole-ova.ts";
import { buildOva, type OvaDescription, ovfText } from "../../../formats/ova/builder.ts";
import { allOf, inChunks } from "../../../support/bytes-in-chunks.ts";

const disk = Buffer.alloc(300_000, "disk");

async function looked(bytes: Uint8Array, chunk = 10_000): Promise<boolean> {
  const reader = new ByteReader(inChunks(Buffer.from(bytes), chunk));
  const isWhole = await isWholeOva(reader);
  expect(Buffer.concat([await allOf(reader.bytes())]).equals(Buffer.from(bytes))).toBe(true);
  return isWhole;
}
const made = (more: Partial<OvaDescription>) => buildOva({ disk, ...more }).bytes;

test.each<[string, Partial<OvaDescription>]>([
  ["with a manifest", { manifest: "SHA256" }],
  ["with long names", { style: "gnu" }],
  ["with pax headers", { style: "pax" }],
  ["behind its folder", { order: ["more", "ovf", "disk"], more: [{ name: "./", type: "5" }] }],
  ["with a reference by numbers", { ovf: ovfText("disk%2evmdk") }],
])("kept: one disk, its descriptor first, %s", async (_, more) => {
  for (const chunk of [700, 1_000_000]) expect(await looked(made(more), chunk)).toBe(true);
});

test.each<[string, Partial<OvaDescription>]>([
  ["another member is first", { order: ["disk", "ovf"] }],
  ["no descriptor", { ovf: null }],
  ["a text that is none", { ovf: "<xml/>" }],
  ["two disks", { ovf: ovfText("disk.vmdk").replace("</DiskSection>", '<Disk fileRef="b"/></DiskSection>') }],
  ["a packed disk", { ovf: ovfText("disk.vmdk", 'ovf:compression="gzip"') }],
  ["a disk in pieces", { ovf: ovfText("disk.vmdk", 'ovf:chunkSize="1"') }],
  ["a disk of another format", { ovf: ovfText("disk.qcow2").replaceAll("vmdk", "qcow2") }],
  ["a descriptor of 2 MiB", { ovf: Buffer.alloc(2 ** 21, " ") }],
])("its images are taken out: %s", async (_, more) => {
  expect(await looked(made(more))).toBe(false);
});

test.each([0, 1, 511, 513, 1000])("cut off after %d bytes it is none", async (length) => {
  expect(await looked(made({}).subarray(0, length))).toBe(false);
});

test("what is no archive is none", async () => {
  expect(await looked(readFileSync(join(import.meta.dirname, "whole-ova.test.ts")))).toBe(false);
});
