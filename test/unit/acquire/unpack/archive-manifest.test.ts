/** An archive's own manifest: what it says of the images is proven while they are taken out. */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { extractImages } from "../../../../src/acquire/unpack/archive.ts";
import { type TestFolder, testFolder } from "../../../support/acquiring.ts";
import { inChunks } from "../../../support/bytes-in-chunks.ts";
import { paxRecord, type TarPart, tarBytes } from "../../../support/tar-bytes.ts";

const limits = { length: 2 ** 30, allocated: 2 ** 30 };
const image = Buffer.from(`KDMV${"an image's bytes".repeat(500)}`);
let folder: TestFolder;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => folder[Symbol.dispose]());

const extract = (parts: readonly TarPart[], chunkLength = 1000) =>
  extractImages(inChunks(tarBytes(parts), chunkLength), folder.path, limits, "box.ova");
const hex = (algorithm: string, bytes: Uint8Array = image) => createHash(algorithm).update(bytes).digest("hex");
const disk: TarPart = { name: "disk.vmdk", content: image };
const ovf: TarPart = { name: "box.ovf", content: Buffer.from("<Envelope/>") };
const manifest = (text: string, name = "box.mf"): TarPart => ({ name, content: Buffer.from(text) });
const line = (algorithm: "SHA1" | "SHA256" | "SHA512", name = "disk.vmdk", bytes?: Uint8Array) =>
  `${algorithm}(${name})= ${hex(algorithm.toLowerCase(), bytes)}\n`;
const ofOvf = line("SHA256", "box.ovf", ovf.content);

test.each(["SHA1", "SHA256", "SHA512"] as const)(
  "%s, manifest first and last: agrees, and says what that proves",
  async (algorithm) => {
    const mf = manifest(ofOvf + line(algorithm));
    for (const parts of [
      [ovf, mf, disk],
      [mf, disk, ovf],
      [disk, ovf, mf],
    ]) {
      using other = testFolder();
      const found = await extractImages(inChunks(tarBytes(parts), 700), other.path, limits, "box.ova");
      expect(found).toEqual({
        names: ["disk.vmdk"],
        allocated: image.length,
        notes: [
          `The manifest box.mf in box.ova agrees with disk.vmdk (${algorithm}): that is proof against corruption, not against forgery`,
        ],
        warnings: [],
      });
    }
  },
);

test.each([
  ["a byte of the disk", [ovf, manifest(ofOvf + line("SHA256")), { ...disk, content: patched(image, 4000) }]],
  ["manifest last", [{ ...disk, content: patched(image, 0xff) }, manifest(line("SHA1"))]],
  [
    "one of several digests",
    [disk, manifest(`${line("SHA256") + line("SHA512")}SHA1(disk.vmdk)= ${"0".repeat(40)}\n`)],
  ],
  [
    "one of two manifests",
    [manifest(line("SHA256")), disk, manifest(`SHA256(disk.vmdk)= ${"0".repeat(64)}\n`, "b.mf")],
  ],
  [
    "the second disk",
    [disk, { name: "two.vmdk", content: patched(image, 9) }, manifest(line("SHA1") + line("SHA1", "two.vmdk"))],
  ],
] as const)("a contradiction is refused: %s", async (_, parts) => {
  await expect(extract(parts)).rejects.toMatchObject({
    kind: "verification-failed",
    message: expect.stringMatching(/^Cannot trust box\.ova: .*\.vmdk has \w+ [0-9a-f]+, and its manifest .* says/),
  });
});

function patched(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

test.each([
  ["CRLF", line("SHA256").replaceAll("\n", "\r\n")],
  ["upper case", `SHA256(disk.vmdk)= ${hex("sha256").toUpperCase()}`],
  ["BSD's blanks", `SHA256 (disk.vmdk) = ${hex("sha256")}\n`],
  ["openssl 3", `SHA2-256(disk.vmdk)= ${hex("sha256")}\n`],
  ["./", line("SHA256", "./disk.vmdk")],
  ["a byte order mark and blank lines", `\ufeff\n\n${line("SHA256")}\n`],
])("written with %s", async (_, text) => {
  expect((await extract([disk, manifest(text)])).notes).toHaveLength(1);
});

test("names are relative to the manifest's folder; long ones of pax, compressed members, names without extension", async () => {
  const packed = gzipSync(image);
  const uuid = "2b0ba6d6-6e63-4b0e-a2ac-5d46f2f4c6f4";
  const long = `${"n".repeat(150)}.vmdk`;
  const found = await extract([
    { name: "box/", type: "5" },
    { name: "pax", type: "x", content: paxRecord("path", `box/${long}`) },
    { name: "short", content: image },
    { name: "./box/b.vmdk.gz", content: Buffer.concat([packed, Buffer.alloc(3000)]) },
    { name: `box/${uuid}`, content: image },
    { name: "box/box.ovf", content: Buffer.from("<Envelope/>") },
    manifest(
      line("SHA256", long) +
        line("SHA512", "b.vmdk.gz", Buffer.concat([packed, Buffer.alloc(3000)])) +
        line("SHA1", uuid),
      "box/box.mf",
    ),
  ]);
  expect(found.names).toEqual([`box/${long}`, "box/b.vmdk", `box/${uuid}`]);
  expect(found.warnings).toEqual([]);
  expect(found.notes[0]).toContain(`b.vmdk.gz (SHA512), box/${uuid} (SHA1)`);
});

test("a disk that the manifest names and the archive lacks: the archive is not whole", async () => {
  await expect(extract([disk, manifest(line("SHA256") + line("SHA256", "two.vmdk"))])).rejects.toMatchObject({
    kind: "corrupt",
    message: expect.stringContaining("its manifest box.mf names two.vmdk, which isn't in it"),
  });
});

test("anything else that it names and the archive lacks is told", async () => {
  const found = await extract([disk, manifest(line("SHA256") + line("SHA256", "box.nvram"))]);
  expect(found.warnings).toEqual(["The manifest box.mf in box.ova names box.nvram, which isn't in it"]);
  expect(found.notes).toHaveLength(1);
});

test("an image that no line names, or one with an algorithm that we don't know, is told", async () => {
  for (const text of [ofOvf, "", `SHA3-256(disk.vmdk)= ${"0".repeat(64)}\n`]) {
    using other = testFolder();
    const parts = tarBytes([ovf, manifest(text), disk]);
    const found = await extractImages(inChunks(parts, 700), other.path, limits, "box.ova");
    expect(found.notes).toEqual([]);
    expect(found.warnings).toEqual(["The manifest box.mf in box.ova proves nothing of disk.vmdk"]);
  }
});

test.each([
  ["no digest", "hello\n", "line 1 of its manifest box.mf is no digest"],
  ["of another length", `${line("SHA1")}SHA256(disk.vmdk)= ${"0".repeat(63)}\n`, "line 2 of its manifest box.mf"],
  ["cut off", line("SHA256").slice(0, 50), "line 1 of its manifest box.mf"],
  ["bytes", "\0\u0001\u0002", "line 1 of its manifest box.mf"],
])("a manifest that is damaged is refused: %s", async (_, text, words) => {
  for (const parts of [
    [manifest(text), disk],
    [disk, manifest(text)],
  ]) {
    using other = testFolder();
    await expect(extractImages(inChunks(tarBytes(parts), 700), other.path, limits, "box.ova")).rejects.toMatchObject({
      kind: "corrupt",
      message: expect.stringContaining(words),
    });
  }
});

test("a manifest that is a link, or larger than any is, is refused; Java's is none", async () => {
  await expect(extract([{ name: "box.mf", type: "2" }, disk])).rejects.toThrow("its manifest box.mf is no plain file");
  const large = { name: "box.mf", content: Buffer.alloc(2 ** 20 + 1, "\n") };
  await expect(extract([large, disk])).rejects.toThrow("its manifest box.mf is larger than 1 MiB");
  const java = manifest("Manifest-Version: 1.0\r\nCreated-By: 21\r\n", "META-INF/MANIFEST.MF");
  using other = testFolder();
  const found = await extractImages(inChunks(tarBytes([java, disk]), 700), other.path, limits, "box.tar");
  expect([found.notes, found.warnings]).toEqual([[], []]);
});

test("a second manifest that asks for another algorithm, behind the image, plain and compressed", async () => {
  const packed = gzipSync(image);
  const parts = (second: string) => [
    manifest(line("SHA256") + line("SHA256", "b.vmdk.gz", packed)),
    disk,
    { name: "b.vmdk.gz", content: packed },
    manifest(second, "b.mf"),
  ];
  const found = await extract(parts(line("SHA512") + line("SHA1", "b.vmdk.gz", packed)));
  expect(found.notes).toEqual([
    expect.stringContaining("disk.vmdk (SHA256), b.vmdk.gz (SHA256)"),
    expect.stringContaining("disk.vmdk (SHA512), b.vmdk.gz (SHA1)"),
  ]);
  for (const wrong of [line("SHA512", "disk.vmdk", packed), line("SHA1", "b.vmdk.gz", image)]) {
    using other = testFolder();
    const bytes = inChunks(tarBytes(parts(wrong)), 700);
    await expect(extractImages(bytes, other.path, limits, "box.ova")).rejects.toMatchObject({
      kind: "verification-failed",
      message: expect.stringContaining("its manifest b.mf says"),
    });
  }
});

test("a manifest of many lines before many members takes no time", async () => {
  const lines = Array.from({ length: 12_000 }, (_, index) => `SHA256(${index}.txt)= ${"0".repeat(64)}\n`).join("");
  const members = Array.from({ length: 5000 }, (_, index) => ({ name: `${index}.txt` }));
  const begun = performance.now();
  await extract([manifest(lines), ...members, disk], 2 ** 16);
  expect(performance.now() - begun).toBeLessThan(5000);
});
