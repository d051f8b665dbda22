/** Flat VMDKs by qemu-img, and two readers that share no code with it (libvmdk, 7-Zip): the same guest, the same size. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map, mapText } from "../../src/convert/reading/map.ts";
import { rollback } from "../../src/convert/recover.ts";
import { infoAsQemu, infoTextAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

const MiB = 1024 ** 2;
const FLAT = { subformat: "monolithicFlat" };

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-vmdk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const names = () => readdirSync(folder).sort();
const guestBySevenZip = (name: string): Buffer =>
  execFileSync("7zz", ["e", "-so", "-tvmdk", name], {
    cwd: folder,
    maxBuffer: 2 ** 27,
    stdio: ["ignore", "pipe", "ignore"],
  });

/** By all three: what they read is `guest`. */
function expectShown(name: string, guest: Buffer): void {
  const told = JSON.parse(run("qemu-img", "info", "--output=json", name));
  expect(told).toMatchObject({ format: "vmdk", "virtual-size": guest.length });
  expect(run("qemu-img", "check", name)).toContain("No errors were found");
  writeFileSync(at("copy.raw"), guest);
  expect(run("qemu-img", "compare", "-F", "raw", name, "copy.raw")).toContain("Images are identical.");
  rmSync(at("copy.raw"));
  expect(guestBySevenZip(name).equals(guest)).toBe(true);
  const said = run("vmdkinfo", name);
  expect(said).toMatch(/Disk type:\s*Monolithic flat/);
  expect(said).toMatch(new RegExp(`Media size:.*\\b${guest.length}\\b`));
}

function madeByQemu(size: string, ...options: readonly string[]): Buffer {
  run(
    "qemu-img",
    "create",
    "-q",
    "-f",
    "vmdk",
    "-o",
    ["subformat=monolithicFlat", ...options].join(","),
    "disk.vmdk",
    size,
  );
  const writes = ["write -P 1 0 64k", "write -P 2 1M 4k", "write -P 3 2929k 512"];
  run("qemu-io", "-t", "unsafe", "-f", "vmdk", ...writes.flatMap((each) => ["-c", each]), "disk.vmdk");
  return readFileSync(at("disk-flat.vmdk"));
}

describe.each([["4M"], ["3000832"], ["20M", "adapter_type=lsilogic"]])("of qemu-img's making: %s", (...words) => {
  test("info, check, map and guest", async () => {
    const [size, ...options] = words as [string, ...string[]];
    const guest = madeByQemu(size, ...options);
    const found = await info(at("disk.vmdk"));
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at("disk.vmdk"))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at("disk.vmdk"))));
    const checked = await check(at("disk.vmdk"));
    expect(checked.exitCode).toBe(0);
    expect(checked.text).toBe(run("qemu-img", "check", at("disk.vmdk")));
    expect(`${mapText(await map(at("disk.vmdk")))}\n`).toBe(run("qemu-img", "map", at("disk.vmdk")));
    expect(await compare(at("disk.vmdk"), at("disk-flat.vmdk"), { formatB: "raw" })).toMatchObject({ identical: true });
    expect((await checksum(at("disk.vmdk"), { algorithm: "sha256" })).checksum).toBe(
      run("sha256sum", "disk-flat.vmdk").split(" ")[0],
    );
    expectShown("disk.vmdk", guest);
  });

  test("to raw and qcow2 and back: the same guest to all three readers", async () => {
    const [size, ...options] = words as [string, ...string[]];
    const guest = madeByQemu(size, ...options);
    const text = readFileSync(at("disk.vmdk"));
    await convert(at("disk.vmdk"), "qcow2", { keepUndo: true });
    run("qemu-img", "check", "disk-flat.vmdk");
    await rollback(at("disk.vmdk"));
    expect(names()).toEqual(["disk-flat.vmdk", "disk.vmdk"]);
    expect(readFileSync(at("disk.vmdk")).equals(text)).toBe(true);
    await convert(at("disk.vmdk"), "raw");
    expect(readFileSync(at("disk-flat.vmdk")).equals(guest)).toBe(true);
    await convert(at("disk-flat.vmdk"), "qcow2", { format: "raw" });
    const { imageAfter } = await convert(at("disk-flat.vmdk"), "vmdk", { options: FLAT });
    expect(imageAfter).toBe(at("disk.vmdk"));
    expectShown("disk.vmdk", guest);
  });
});

test.each([
  [8 * MiB, {}, /adapterType = "ide"/],
  [8 * MiB + 700, { adapter_type: "lsilogic" }, /adapterType = "lsilogic"[\s\S]*|heads = "255"/],
  [512, { adapter_type: "buslogic" }, /cylinders = "1"/],
])("of ours, from %d bytes", async (size, options, says) => {
  const disk = Buffer.alloc(size, "the guest's own bytes ");
  writeFileSync(at("disk.raw"), disk);
  await convert(at("disk.raw"), "vmdk", { format: "raw", options: { ...FLAT, ...options } });
  expect(readFileSync(at("disk.vmdk"), "utf8")).toMatch(says);
  expectShown("disk.vmdk", Buffer.concat([disk, Buffer.alloc((512 - (size % 512)) % 512)]));
});

test("a guest that QEMU ran on it finds its disk in the raw one, and the way back is told to be closed", async () => {
  writeFileSync(at("disk.raw"), Buffer.alloc(MiB, 7));
  await convert(at("disk.raw"), "vmdk", { format: "raw", options: FLAT, keepUndo: true });
  const before = readFileSync(at("disk.vmdk"), "utf8");
  run("qemu-io", "-f", "vmdk", "-c", "write -P 9 64k 4k", "disk.vmdk");
  expect(readFileSync(at("disk.vmdk"), "utf8")).not.toBe(before);
  await expect(rollback(at("disk.vmdk"))).rejects.toMatchObject({
    message: expect.stringContaining("disk.vmdk was rewritten since; nothing was touched"),
  });
  expect(
    readFileSync(at("disk.raw"))
      .subarray(64 * 1024, 68 * 1024)
      .every((byte) => byte === 9),
  ).toBe(true);
});

test("the same guest gives the same descriptor, where that is asked for", async () => {
  const texts: string[] = [];
  for (const reproducible of [true, true, false]) {
    writeFileSync(at("disk.raw"), Buffer.alloc(MiB, 7));
    await convert(at("disk.raw"), "vmdk", { format: "raw", options: FLAT, reproducible });
    texts.push(readFileSync(at("disk.vmdk"), "utf8"));
    rmSync(at("disk.vmdk"));
  }
  expect(texts[1]).toBe(texts[0]);
  expect(texts[2]).not.toBe(texts[0]);
});
