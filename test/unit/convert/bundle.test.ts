/** A Parallels image in its bundle's folder: of one image it is converted, of several it is refused by what the text beside it says. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { convert, plan } from "../../../src/convert/convert.ts";
import { checksum } from "../../../src/convert/reading/checksum.ts";
import { buildParallels } from "../../formats/parallels/builder.ts";
import { buildBundleText } from "../../formats/parallels/bundle-text.ts";

const { bytes } = buildParallels({ virtualSize: 40 * 4096, data: [0, 1, 5] });
const TEXT = "DiskDescriptor.xml";

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-bundle-"));
  writeFileSync(at("disk.img"), bytes);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function expectRefused(says: RegExp, format?: string): Promise<void> {
  const before = readFileSync(at("disk.img"));
  const options = format === undefined ? {} : { format, allowMarkedRaw: true };
  await expect(convert(at("disk.img"), "qcow2", options)).rejects.toMatchObject({
    kind: "unsupported",
    message: expect.stringMatching(says),
  });
  expect((await plan(at("disk.img"), "qcow2", options)).report.refused.join()).toMatch(says);
  expect(readFileSync(at("disk.img")).equals(before)).toBe(true);
}

test.each([
  [
    "snapshots",
    buildBundleText({ files: ["root.hds", "disk.img"], shots: 2 }),
    /says that its disk is made of 2 images/,
  ],
  ["a path", buildBundleText({ files: ["/vm/disk.hdd/root.hds", "C:\\vm\\disk.img"] }), /made of 2 images/],
  ["a split disk", buildBundleText({ storages: 3 }), /says that its disk is split into 3 parts/],
  ["snapshots without images", buildBundleText({ shots: 3 }), /says that its disk has 3 snapshots/],
  [
    "encryption",
    buildBundleText({ engine: "{5fbaabe3-6958-40ff-92a7-860e329aab41}" }),
    /says that its disk is encrypted/,
  ],
  ["padding", buildBundleText({ padding: "1" }), /is padded/],
  ["an entity in a name", buildBundleText({ files: ["root.hds", "disk&#46;i&#x6d;g"] }), /made of 2 images/],
  ["no XML", Buffer.from("a text"), /can't be read as the text of a bundle/],
  ["nothing", Buffer.alloc(0), /can't be read/],
  ["a text that ends early", buildBundleText().subarray(0, 400), /can't be read/],
  ["ends that cross", Buffer.from("<Parallels_disk_image><a><b></a></b></Parallels_disk_image>"), /can't be read/],
  ["a document type", Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><Parallels_disk_image/>'), /can't be read/],
  ["a tag of a MiB", Buffer.from(`<Parallels_disk_image${" a".repeat(400_000)}`), /can't be read/],
  ["depth without an end", Buffer.from("<a>".repeat(100_000)), /can't be read/],
  ["another XML", Buffer.from("<svg/>"), /can't be read/],
])("refused for %s", async (_what, text, says) => {
  writeFileSync(at(TEXT), text);
  await expectRefused(says);
});

test("a plain image of a bundle, which says nothing of itself, as well", async () => {
  writeFileSync(at("disk.img"), Buffer.alloc(40 * 4096, 7));
  writeFileSync(at(TEXT), buildBundleText({ files: ["disk.img", "top.hds"] }));
  await expectRefused(/made of 2 images/, "raw");
});

test.each([
  ["one image", buildBundleText()],
  ["a mark before it", Buffer.concat([Buffer.from("\ufeff"), buildBundleText()])],
  ["another disk's", buildBundleText({ files: ["root.hds", "top.hds"], shots: 2 })],
])("converted beside the text of %s, which stays", async (_what, text) => {
  writeFileSync(at(TEXT), text);
  const before = await checksum(at("disk.img"));
  expect(await convert(at("disk.img"), "qcow2")).toMatchObject({ guestChecksum: { after: before.checksum } });
  expect(readFileSync(at(TEXT)).equals(text)).toBe(true);
});
