/** VMDKs in several files, of qemu-img's making and of our builder's: info, map, check and guest as qemu-img has them; refused by name as a source, but in one file. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { type MapEntry, map, mapText } from "../../src/convert/reading/map.ts";
import { rollback } from "../../src/convert/recover.ts";
import { buildDescriptor, flatExtent, sparseExtent } from "../formats/vmdk/builder.ts";
import { buildSparse } from "../formats/vmdk/sparse/builder.ts";
import { infoAsQemu, infoTextAsQemu, mapAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

const KiB = 1024;
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });
const names = () => readdirSync(folder).sort();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-split-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes across the border of the first two files, and into the last. */
function madeByQemu(subformat: string, size: number): void {
  run("qemu-img", "create", "-q", "-f", "vmdk", "-o", `subformat=${subformat}`, "disk.vmdk", String(size));
  const writes = [
    "write -P 1 0 64k",
    ...(size > 2 * GiB ? [`write -P 2 ${2 * GiB - 64 * KiB} 192k`, `write -P 3 ${size - MiB} 70k`] : []),
    "write -P 4 200k 8k",
  ];
  run("qemu-io", "-t", "unsafe", "-f", "vmdk", ...writes.flatMap((each) => ["-c", each]), "disk.vmdk");
}

/** As all say that only read. */
async function expectReadAlike(): Promise<void> {
  const found = await info(at("disk.vmdk"));
  expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at("disk.vmdk"))));
  expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at("disk.vmdk"))));
  const checked = await check(at("disk.vmdk"));
  expect(checked.exitCode).toBe(0);
  expect(checked.text).toBe(run("qemu-img", "check", at("disk.vmdk")));
  expect(checked.json).toMatchObject(JSON.parse(run("qemu-img", "check", "--output=json", at("disk.vmdk"))));
  const ours = await map(at("disk.vmdk"));
  expect(`${mapText(ours)}\n`).toBe(run("qemu-img", "map", at("disk.vmdk")));
  const theirs = JSON.parse(run("qemu-img", "map", "--output=json", at("disk.vmdk"))) as Partial<MapEntry>[];
  // Holes of a flat file are stored, to qemu-img.
  const alike = theirs.map((entry) => ({ ...entry, data: entry.data && !entry.zero }));
  expect(mapAsQemu(ours.entries).map(({ filename: _, ...entry }) => entry)).toEqual(alike);
  const isSplit = names().filter((name) => name.endsWith(".vmdk")).length > 2;
  for (const { offset, filename } of ours.entries) expect(filename !== undefined).toBe(isSplit && offset !== undefined);
}

async function expectGuest(): Promise<void> {
  run("qemu-img", "convert", "-f", "vmdk", "-O", "raw", "disk.vmdk", "guest.raw");
  expect(await compare(at("disk.vmdk"), at("guest.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
  const sums = [at("disk.vmdk"), at("guest.raw")].map((path, index) =>
    checksum(path, index === 0 ? {} : { format: "raw" }).then((report) => report.checksum),
  );
  expect(await sums[0]).toBe(await sums[1]);
}

describe("of qemu-img's making, in three files", () => {
  const SIZE = 5 * GiB;

  test.each([
    ["twoGbMaxExtentSparse", "s"],
    ["twoGbMaxExtentFlat", "f"],
  ])("%s: read alike, and told why it is not converted", async (subformat, letter) => {
    madeByQemu(subformat, SIZE);
    await expectReadAlike();
    await expectGuest();
    const before = names();
    const parts = [1, 2, 3].map((index) => `disk-${letter}00${index}.vmdk`);
    const says = new RegExp(`lies in 3 parts \\(${parts.join(", ")}\\), and no file of them can become all of it`);
    for (const ask of [plan, convert]) {
      const refusal: unknown = await ask(at("disk.vmdk"), "qcow2").catch((error: unknown) => error);
      expect(refusal).toMatchObject({ kind: "unsupported", message: expect.stringMatching(says) });
      expect(String(refusal)).toContain("qemu-img convert -f vmdk -O qcow2");
    }
    await expect(check(at("disk.vmdk"), { repair: "all" })).rejects.toMatchObject({
      message: expect.stringMatching(says),
    });
    expect(names()).toEqual(before);
  });

  test("a file of it is no image by itself, and none without its descriptor's consent", async () => {
    madeByQemu("twoGbMaxExtentSparse", SIZE);
    await expect(info(at("disk-s002.vmdk"))).rejects.toMatchObject({
      message: expect.stringMatching(/one of the files of a VMDK, and no descriptor is in it.*open its descriptor/s),
    });
    madeByQemu("twoGbMaxExtentFlat", SIZE);
    await expect(convert(at("disk-f001.vmdk"), "qcow2", { format: "raw" })).rejects.toMatchObject({
      message: expect.stringMatching(/disk.vmdk says that it is its disk/),
    });
  });

  test("a grain outside the second file: the same line, the same exit code", async () => {
    madeByQemu("twoGbMaxExtentSparse", SIZE);
    const bytes = readFileSync(at("disk-s002.vmdk"));
    const table = bytes.readUInt32LE(Number(bytes.readBigUInt64LE(56)) * 512) * 512;
    bytes.writeUInt32LE(900_000, table + 4 * 3);
    writeFileSync(at("disk-s002.vmdk"), bytes);
    const theirs = spawnSync("qemu-img", ["check", "disk.vmdk"], { cwd: folder, encoding: "utf8" });
    const ours = await check(at("disk.vmdk"));
    expect(ours.exitCode).toBe(theirs.status);
    expect(theirs.stderr.split("\n")[0]).toBe(ours.findings[0]?.line);
    expect(ours.findings[0]?.message).toMatch(/^disk-s002.vmdk: .* guest offset 0x80030000 /);
    await expect(checksum(at("disk.vmdk"))).rejects.toMatchObject({
      kind: "corrupt",
      message: expect.stringContaining("disk-s002.vmdk"),
    });
  });

  test.each([
    ["gone", () => rmSync(at("disk-s002.vmdk")), /disk-s002.vmdk, which it says holds its disk, is not there/],
    ["cut short", () => truncateSync(at("disk-s003.vmdk"), 100), /disk-s003.vmdk/],
  ])("a file that is %s", async (_how, change, says) => {
    madeByQemu("twoGbMaxExtentSparse", SIZE);
    change();
    for (const look of [info, map, checksum, check])
      await expect(look(at("disk.vmdk"))).rejects.toMatchObject({
        name: "ImageError",
        message: expect.stringMatching(says),
      });
  });
});

describe("of qemu-img's making, in one file", () => {
  test("sparse, to qcow2 and raw where it lies, and back while the undo is kept", async () => {
    for (const target of ["qcow2", "raw"]) {
      madeByQemu("twoGbMaxExtentSparse", 4 * MiB);
      await expectReadAlike();
      await expectGuest();
      const files = ["disk.vmdk", "disk-s001.vmdk"].map((name) => [name, readFileSync(at(name))] as const);
      if (target === "qcow2") {
        const report = await convert(at("disk.vmdk"), target, { keepUndo: true });
        expect(report).toMatchObject({ bytesMoved: 0, imageAfter: at("disk-s001.vmdk") });
        expect(run("qemu-img", "compare", "disk-s001.vmdk", "guest.raw")).toContain("identical");
        // By its text nobody sees anything of it.
        expect(spawnSync("qemu-img", ["info", "disk.vmdk"], { cwd: folder }).status).toBe(1);
        await rollback(at("disk.vmdk"));
        for (const [name, bytes] of files) expect(readFileSync(at(name)).equals(bytes), name).toBe(true);
      }
      const { imageAfter } = await convert(at("disk.vmdk"), target);
      expect(imageAfter).toBe(at("disk-s001.vmdk"));
      expect(run("qemu-img", "compare", "-f", target, "disk-s001.vmdk", "guest.raw")).toContain("identical");
      expect(names()).toEqual(["disk-s001.vmdk", "guest.raw"]);
      rmSync(at("disk-s001.vmdk"));
    }
  });

  test("flat, to raw and back: the very descriptor comes again", async () => {
    madeByQemu("twoGbMaxExtentFlat", 4 * MiB);
    await expectReadAlike();
    await expectGuest();
    const text = readFileSync(at("disk.vmdk"));
    await convert(at("disk.vmdk"), "raw", { keepUndo: true });
    expect(names()).not.toContain("disk.vmdk");
    await rollback(at("disk-f001.vmdk"));
    expect(readFileSync(at("disk.vmdk")).equals(text)).toBe(true);
    await convert(at("disk.vmdk"), "qcow2");
    expect(run("qemu-img", "compare", "disk-f001.vmdk", "guest.raw")).toContain("identical");
  });

  test("not while another text names the file", async () => {
    madeByQemu("twoGbMaxExtentSparse", 4 * MiB);
    const text = readFileSync(at("disk.vmdk"));
    writeFileSync(at("other.vmdk"), text);
    for (const ask of [plan, convert]) {
      const said: unknown = await ask(at("disk.vmdk"), "qcow2").catch((error: unknown) => error);
      expect(JSON.stringify([said, String(said)])).toMatch(/other.vmdk says that it is its disk/);
    }
    expect(names()).toEqual(["disk-s001.vmdk", "disk.vmdk", "other.vmdk"]);
  });

  test("not into another VMDK, which the text would go on to speak of", async () => {
    madeByQemu("twoGbMaxExtentSparse", 4 * MiB);
    for (const subformat of ["monolithicSparse", "monolithicFlat"]) {
      await expect(convert(at("disk.vmdk"), "vmdk", { options: { subformat } })).rejects.toMatchObject({
        message: expect.stringMatching(/convert it to qcow2 first|has that name itself/),
      });
    }
  });
});

describe("of our builder's making", () => {
  test("sparse files without room for a text, flat ones at an offset, zeros between: as the lines say", async () => {
    const first = buildSparse({ virtualSize: 10 * 4096 - 1024, data: [0, 4, 9], isPart: "no room", phase: 3 });
    const second = buildSparse({ virtualSize: 6 * 4096, data: [1], zero: [2], isPart: "room", grainSize: 8192 });
    const flat = Buffer.alloc(20 * KiB, "flat bytes ");
    writeFileSync(at("a.vmdk"), first.bytes);
    writeFileSync(at("b.vmdk"), second.bytes);
    writeFileSync(at("c.raw"), flat);
    const lines = [
      sparseExtent("a.vmdk", first.guest.length / 512),
      "RDONLY 24 ZERO",
      `${flatExtent("c.raw", 16).replace("RW", "RDONLY").replace(/0$/, "8")}`,
      sparseExtent("b.vmdk", second.guest.length / 512),
    ];
    writeFileSync(at("disk.vmdk"), buildDescriptor({ createType: "twoGbMaxExtentSparse", extents: lines }));
    const guest = Buffer.concat([first.guest, Buffer.alloc(12 * KiB), flat.subarray(4 * KiB, 12 * KiB), second.guest]);
    writeFileSync(at("guest.raw"), guest);
    expect((await info(at("disk.vmdk"))).virtualSize).toBe(guest.length);
    expect(await compare(at("disk.vmdk"), at("guest.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    expect((await checksum(at("disk.vmdk"), { algorithm: "sha256" })).checksum).toBe(
      run("sha256sum", "guest.raw").split(" ")[0],
    );
    const flats = (await map(at("disk.vmdk"))).entries.filter(({ filename }) => filename === at("c.raw"));
    expect(flats).toMatchObject([{ start: first.guest.length + 12 * KiB, length: 8 * KiB, offset: 4 * KiB }]);
    expect((await check(at("disk.vmdk"))).exitCode).toBe(0);
  });
});
