/** The kept undo on files of qemu-img: back byte for byte, refused once someone wrote, or settled. */

import { copyFile, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { fewOf, qemuPairs } from "../formats/kits.ts";
import { makeQemuImage, type QemuImage } from "../support/qemu-images.ts";
import { assertClean, assertSame, fileDigest, info, qemuIo, run } from "../support/qemu-tools.ts";

const SIZE = 6 * 1024 * 1024 + 512;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-undo-"));
});
afterEach(() => rm(folder, { recursive: true }));

const ways = fewOf(qemuPairs).map(({ from, to }) => [from.name, to.name] as const);
describe.each(ways)("%s, converted to %s with its undo kept", (from, to) => {
  let image: QemuImage;
  let original: string;
  beforeEach(async () => {
    const contents = ["fragmented", "zeroed"] as const;
    image = await makeQemuImage(folder, { name: "disk", format: from, virtualSize: SIZE, contents });
    await copyFile(image.path, join(folder, "original"));
    original = await fileDigest(image.path);
    const report = await convert(image.path, to, { keepUndo: true });
    expect(report.changed).toBe(true);
    expect(await readdir(folder)).toContain(`disk.${from}.inplace-undo`);
    await assertSame(image.path, to, image.rawPath);
  });

  const left = async () => (await readdir(folder)).filter((name) => name.includes("inplace-"));

  it("is put back byte for byte, its length included", async () => {
    await rollback(image.path);
    expect(await fileDigest(image.path)).toBe(original);
    await run("cmp", [image.path, join(folder, "original")]);
    expect(await left()).toEqual([]);
  });

  it("is not put back once QEMU wrote to it, and nothing is lost", async () => {
    const writes = ["write -P 211 64k 64k", "write -P 212 5M 512", "flush"];
    await qemuIo(image.path, to, writes);
    await qemuIo(image.rawPath, "raw", writes);
    const written = await fileDigest(image.path);
    await expect(rollback(image.path)).rejects.toMatchObject({ kind: "changed-underneath" });
    expect(await fileDigest(image.path)).toBe(written);
    await assertSame(image.path, to, image.rawPath);
    await resume(image.path);
    await assertClean(image.path, to);
    await assertSame(image.path, to, image.rawPath);
    expect(await left()).toEqual([]);
  });

  it("is settled by resume", async () => {
    await resume(image.path);
    await assertClean(image.path, to);
    await assertSame(image.path, to, image.rawPath);
    expect((await info(image.path)).format).toBe(to);
    expect(await left()).toEqual([]);
    await expect(rollback(image.path)).rejects.toThrow(/^Nothing to roll back/);
  });

  it("is not converted again before that", async () => {
    const before = [await fileDigest(image.path), (await stat(image.path)).mtimeMs];
    await expect(convert(image.path, from)).rejects.toMatchObject({ kind: "interrupted" });
    expect([await fileDigest(image.path), (await stat(image.path)).mtimeMs]).toEqual(before);
  });
});
