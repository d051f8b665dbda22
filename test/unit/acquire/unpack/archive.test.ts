/** What comes out of archives, and what never does. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { extractImages } from "../../../../src/acquire/unpack/archive.ts";
import { tarEntries } from "../../../../src/acquire/unpack/tar.ts";
import { type TestFolder, testFolder } from "../../../support/acquiring.ts";
import { allOf, inChunks } from "../../../support/bytes-in-chunks.ts";
import { paxRecord, type TarPart, tarBytes } from "../../../support/tar-bytes.ts";

const limits = { length: 2 ** 30, allocated: 2 ** 30 };
const image = Buffer.from("an image's bytes".repeat(100));
let folder: TestFolder;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => folder[Symbol.dispose]());

const extract = async (parts: TarPart[], chunkLength = 1000) =>
  (await extractImages(inChunks(tarBytes(parts), chunkLength), folder.path, limits, "the archive")).names;
const disk = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, content: image, ...more });

test.each([1, 511, 512, 10_000])(
  "images by their names or first bytes, nothing else, in chunks of %d",
  async (length) => {
    const paths = await extract(
      [
        { name: "box/", type: "5" },
        disk("box/a.qcow2"),
        disk("box/readme.txt"),
        { name: "box/empty.bin" },
        { name: "./box/disk-0001", content: Buffer.from("KDMV\x01\0\0\0") },
        disk("link.txt", { type: "2", content: Buffer.alloc(0), size: 77 }),
        disk("b.VHDX", { type: "\0" }),
      ],
      length,
    );
    expect(paths).toEqual(["box/a.qcow2", "box/disk-0001", "b.VHDX"]);
    expect(folder.names()).toEqual(["b.VHDX", "box", "box/a.qcow2", "box/disk-0001"]);
    expect(readFileSync(join(folder.path, "box/a.qcow2"))).toEqual(image);
  },
);

test("an image that is compressed once more inside", async () => {
  await extract([disk("box/disk.vmdk.gz", { content: gzipSync(image) })]);
  expect(readFileSync(join(folder.path, "box/disk.vmdk"))).toEqual(image);
});

test("long names: ustar's prefix, pax, GNU", async () => {
  const long = `${"d".repeat(120)}/${"n".repeat(120)}.qcow2`;
  const gnu = `${"g".repeat(150)}.qcow2`;
  const paths = await extract([
    disk("x.qcow2", { prefix: "in/a/prefix" }),
    { name: "pax", type: "x", content: Buffer.concat([paxRecord("mtime", "1.5"), paxRecord("path", long)]) },
    disk("short"),
    { name: "././@LongLink", type: "L", content: Buffer.from(`${gnu}\0`) },
    disk("short"),
    disk("plain.qcow2"),
  ]);
  expect(paths).toEqual(["in/a/prefix/x.qcow2", long, gnu, "plain.qcow2"]);
});

test("a size from pax replaces the header's", async () => {
  await extract([
    { name: "pax", type: "x", content: paxRecord("size", String(image.length)) },
    disk("a.qcow2", { size: 0 }),
    disk("b.qcow2"),
  ]);
  expect(readFileSync(join(folder.path, "a.qcow2"))).toEqual(image);
});

test.each([
  ["/etc/evil.qcow2", "lies outside of its folder"],
  ["../evil.qcow2", "lies outside of its folder"],
  ["a/../../evil.qcow2", "lies outside of its folder"],
  ["a\\..\\evil.qcow2", "lies outside of its folder"],
  ["C:evil.qcow2", "lies outside of its folder"],
  [`${"a/".repeat(40)}evil.qcow2`, "folders deep"],
])("the name %s is refused", async (name, why) => {
  const error = await extract([disk(name)]).catch((failure) => failure);
  expect(error).toMatchObject({ kind: "unsupported", message: expect.stringContaining(why) });
  expect(folder.names()).toEqual([]);
});

test.each(["1", "2", "3", "4", "6", "S"])("an image of type %s is refused", async (type) => {
  await expect(extract([disk("a.qcow2", { type, content: Buffer.alloc(0) })])).rejects.toThrow("not a plain file");
});

test("a sparse map of pax is refused: its bytes are not the file's", async () => {
  const pax = { name: "pax", type: "x", content: paxRecord("GNU.sparse.major", "1") };
  await expect(extract([pax, disk("a.qcow2")])).rejects.toThrow("not a plain file");
});

test("a name that comes twice, in whatever case, is refused", async () => {
  await expect(extract([disk("a/x.qcow2"), disk("a/X.QCOW2")])).rejects.toThrow("two of its images are called");
  await expect(extract([disk("y.qcow2"), disk("./y.qcow2.gz", { content: gzipSync(image) })])).rejects.toThrow(
    "two of",
  );
});

test("terminal escapes and reserved names are made harmless", async () => {
  expect(await extract([disk("a/\x1b[2Jb.qcow2"), disk("a/con.qcow2"), disk("a/-rf.qcow2")])).toEqual([
    "a/_[2Jb.qcow2",
    "a/_con.qcow2",
    "a/_rf.qcow2",
  ]);
});

test("no image at all", async () => {
  await expect(extract([disk("readme")])).rejects.toThrow("it has 1 entry, none of them a disk image");
  await expect(extractImages(inChunks(Buffer.alloc(0), 1), folder.path, limits, "it")).rejects.toThrow(
    "it has 0 entries, none",
  );
});

test("bounds over all images together", async () => {
  const parts = [disk("a.qcow2"), disk("b.qcow2")];
  const tight = { length: image.length * 2 - 1, allocated: 2 ** 30 };
  const full = { length: 2 ** 30, allocated: image.length * 2 - 1 };
  const bytes = () => inChunks(tarBytes(parts), 1000);
  await expect(extractImages(bytes(), folder.path, tight, "it")).rejects.toMatchObject({ kind: "out-of-bounds" });
  using other = testFolder();
  await expect(extractImages(bytes(), other.path, full, "it")).rejects.toMatchObject({ kind: "no-space" });
});

test("damage: a wrong sum, a cut, a size that is none, an extended header of lies", async () => {
  const whole = tarBytes([disk("a.qcow2")]);
  const entries = async (bytes: Uint8Array) => {
    for await (const entry of tarEntries(inChunks(bytes, 1000))) await allOf(entry.bytes());
  };
  const wrong = Buffer.from(whole);
  wrong[0] = 0x62;
  await expect(entries(wrong)).rejects.toThrow("no tar header");
  for (const length of [100, 600, 1600]) await expect(entries(whole.subarray(0, length))).rejects.toThrow("cut off");
  await entries(tarBytes([disk("a.qcow2")], false));
  for (const content of [paxRecord("size", "-5"), paxRecord("size", "1e9"), paxRecord("size", "99999999999999999")]) {
    await expect(entries(tarBytes([{ name: "p", type: "x", content }, disk("a")]))).rejects.toThrow("no number");
  }
  for (const text of ["999999 path=a\n", "0 a=b\n", "path=a\n", "3 \n"]) {
    const pax = { name: "p", type: "x", content: Buffer.from(text) };
    await expect(entries(tarBytes([pax, disk("a")]))).rejects.toThrow(/has no right length|has no key/);
  }
  await expect(entries(tarBytes([{ name: "p", type: "L", size: 2 ** 30 }]))).rejects.toThrow("larger than 1 MiB");
  await expect(extract([disk("a.qcow2", { size: 2 ** 20 })])).rejects.toThrow(
    "Cannot unpack the archive as tar: it is cut off",
  );
});
