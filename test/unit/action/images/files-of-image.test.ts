/** Which images must not be worked on side by side: those that share a file, or a name. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filesOfImage } from "../../../../src/action/images/files-of-image.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-files-of-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3] }).bytes;

function put(name: string, bytes: Uint8Array | string = QED): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function overlay(name: string, backingName: string): string {
  return put(name, buildQedImage({ virtualSize: 8 * 4096, data: [1], backingName }).bytes);
}

async function share(a: string, b: string, newA = a): Promise<boolean> {
  const [ofA, ofB] = [
    await filesOfImage({ path: a, newPath: newA }, undefined),
    await filesOfImage({ path: b, newPath: b }, undefined),
  ];
  return ofA.keys.some((key) => ofB.keys.includes(key));
}

test("two images by themselves share nothing", async () => {
  expect(await share(put("a.qed"), put("b.qed"))).toBe(false);
  const { length } = await filesOfImage({ path: join(folder, "a.qed"), newPath: join(folder, "a.qcow2") }, undefined);
  expect(length).toBe(QED.length);
});

test("one file by two names", async () => {
  const path = put("a.qed");
  mkdirSync(join(folder, "sub"));
  symlinkSync(folder, join(folder, "sub/again"));
  symlinkSync(path, join(folder, "other-name"));
  expect(await share(path, join(folder, "sub/again/a.qed"))).toBe(true);
  expect(await share(path, join(folder, "other-name"))).toBe(true);
});

test("names that differ in their extension, or in capitals, also of what will be renamed", async () => {
  expect(await share(put("a.qed"), put("a.raw"))).toBe(true);
  expect(await share(put("a.qed"), put("A.qcow2"))).toBe(true);
  expect(await share(put("c.qed"), put("b.qcow2"), join(folder, "b.vmdk"))).toBe(true);
  expect(await share(put("caf\u00e9.qed"), put("cafe\u0301.raw"))).toBe(true);
});

test("an extent and whoever gets the name that its descriptor will have", async () => {
  expect(await share(put("a-flat.raw"), put("a.qed"), join(folder, "a-flat.vmdk"))).toBe(true);
});

test("an overlay, what is below it, and what shares that", async () => {
  const base = put("base.qed");
  const middle = overlay("middle.qed", "base.qed");
  const top = overlay("top.qed", "middle.qed");
  expect(await share(top, base)).toBe(true);
  expect(await share(top, middle)).toBe(true);
  expect(await share(overlay("other.qed", base), top)).toBe(true);
  expect(await share(overlay("lone.qed", "gone.qed"), top)).toBe(false);
  expect(await share(overlay("lonely.qed", "gone.qed"), join(folder, "lone.qed"))).toBe(true);
});

test("images that lead to each other, and those that can't be opened, end somewhere", async () => {
  const [a, b] = [overlay("a.qed", "b.qed"), overlay("b.qed", "a.qed")];
  expect(await share(a, b)).toBe(true);
  expect(await share(put("c.qed", "no image"), join(folder, "gone.qed"))).toBe(false);
  expect(await share(folder, put("d.qed"))).toBe(false);
});

test("a text and the file that holds its disk", async () => {
  const text = [
    "# Disk DescriptorFile",
    "version=1",
    "CID=fffffffe",
    "parentCID=ffffffff",
    'createType="monolithicFlat"',
    "",
    'RW 128 FLAT "the-disk.bin" 0',
    'ddb.adapterType = "ide"',
    "",
  ];
  const disk = put("the-disk.bin", new Uint8Array(128 * 512));
  expect(await share(put("vm.vmdk", text.join("\n")), disk)).toBe(true);
});
