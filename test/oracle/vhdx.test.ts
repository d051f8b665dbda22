/** VHDX by qemu-img, and by 7-Zip, which shares no code with it: info, check, the same guest, and conversions from it. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkJson } from "../../src/check/check-json.ts";
import { fixedText, resultText } from "../../src/check/check-text.ts";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";
import { rollback } from "../../src/convert/recover.ts";
import { vhdxCases } from "../formats/vhdx/cases.ts";
import { buildDirty, type DirtyShape, SECTOR } from "../formats/vhdx/dirty.ts";
import { readVhdxNaively } from "../formats/vhdx/naive-reader.ts";
import { infoAsQemu, infoTextAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-vhdx-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const guestBySevenZip = (name: string): Buffer =>
  execFileSync("7zz", ["e", "-so", "-tvhdx", at(name)], { maxBuffer: 2 ** 27, stdio: ["ignore", "pipe", "ignore"] });

describe.each([
  ["9M", "block_size=1M"],
  ["20M", "log_size=3M"],
  ["3000320", "block_size=2M,block_state_zero=off"],
  ["10M", "subformat=fixed,block_size=1M"],
  ["5M", "subformat=fixed,block_state_zero=off"],
  // Beyond a chunk, so that an entry of a sector bitmap lies between those of its blocks.
  ["4099M", "block_size=1M"],
])("of qemu-img's making: %s, %s", (size, options) => {
  const isSmall = !size.startsWith("4099");
  beforeAll(() => {
    run("qemu-img", "create", "-q", "-f", "vhdx", "-o", options, "disk.vhdx", size);
    const far = isSmall ? "write -P 3 2929k 512" : "write -P 3 4097M 1M";
    const writes = ["write -P 2 1M 4k", far, "write -P 1 0 64k", "write -z 2M 64k"];
    run("qemu-io", "-t", "unsafe", "-f", "vhdx", ...writes.flatMap((each) => ["-c", each]), "disk.vhdx");
    run("qemu-img", "convert", "-f", "vhdx", "-O", "raw", "disk.vhdx", "disk.raw");
  });

  test("info", async () => {
    const found = await info(at("disk.vhdx"));
    const said = run("qemu-img", "info", "-f", "vhdx", "--output=json", at("disk.vhdx"));
    expect(infoAsQemu(found)).toEqual(qemuInfo(said));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", "-f", "vhdx", at("disk.vhdx"))));
  });

  test("check", async () => {
    const found = await check(at("disk.vhdx"));
    expect(found.exitCode).toBe(0);
    expect(resultText(found)).toBe(run("qemu-img", "check", "-f", "vhdx", "disk.vhdx"));
  });

  test("map and guest", async () => {
    expect(await compare(at("disk.vhdx"), at("disk.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    const { entries } = await map(at("disk.vhdx"));
    // Of each place that it tells the bytes are there.
    const [file, guest] = [readFileSync(at("disk.vhdx")), isSmall ? readFileSync(at("disk.raw")) : undefined];
    for (const { start, length, offset, zero } of entries) {
      if (offset !== undefined && guest)
        expect(file.subarray(offset, offset + length).equals(guest.subarray(start, start + length))).toBe(true);
      else if (guest)
        expect([zero, guest.subarray(start, start + length).every((byte) => byte === 0)]).toEqual([true, true]);
    }
    expect(entries.some(({ data }) => data)).toBe(true);
    // It takes whole MiB alone, and no file that ends inside a block.
    if (guest && guest.length % 2 ** 20 === 0 && size !== "5M")
      expect(guestBySevenZip("disk.vhdx").equals(guest)).toBe(true);
  });

  test.each(["qcow2", "qed", "raw"].filter((target) => isSmall || target === "qcow2"))("to %s", async (target) => {
    copyFileSync(at("disk.vhdx"), at("copy.img"));
    const report = await convert(at("copy.img"), target);
    expect(run("qemu-img", "compare", "-f", target, "-F", "raw", "copy.img", "disk.raw")).toContain("are identical");
    if (target !== "raw") run("qemu-img", "check", "-q", "-f", target, "copy.img");
    if (target === "qcow2") {
      // Each block stays where it is: what is written are tables.
      expect([report.bytesMoved, report.bytesWritten < 2 ** 19]).toEqual([0, true]);
    }
  });
});

test.each(vhdxCases.filter(({ name }) => name.startsWith("accept/")).map((each) => [each.name, each] as const))(
  "%s",
  async (name, { bytes, qemu }) => {
    writeFileSync(at("case.vhdx"), bytes);
    const guest = readVhdxNaively(bytes);
    writeFileSync(at("case.raw"), guest);
    expect((await checksum(at("case.vhdx"))).checksum).toBe(
      (await checksum(at("case.raw"), { format: "raw" })).checksum,
    );
    if (qemu === "opens") {
      const said = run("qemu-img", "compare", "-f", "vhdx", "-F", "raw", "case.vhdx", "case.raw");
      expect(said).toContain("Images are identical.");
    }
    // 7-Zip wants both copies of everything, and whole MiB.
    if (!/torn|gone|no-log|cut|place|of-the-user/.test(name)) {
      expect(guestBySevenZip("case.vhdx").equals(guest)).toBe(true);
    }
  },
);

test("a damaged BAT is told as qemu-img tells it, in JSON, on stderr and by the exit code", async () => {
  const { bytes } = vhdxCases.find(({ name }) => name === "refuse/vhdx/corrupt--block-beyond-2-to-the-63") ?? {};
  writeFileSync(at("case.vhdx"), bytes as Buffer);
  const told: string[] = [];
  const found = await check(at("case.vhdx"), { onFinding: ({ line }) => told.push(`qemu-img: ${line}\n`) });
  const { status, stdout, stderr } = spawnSync("qemu-img", ["check", "-f", "vhdx", "--output=json", at("case.vhdx")], {
    encoding: "utf8",
  });
  expect([found.exitCode, told.join("")]).toEqual([status, stderr]);
  const { findings, ...numbers } = checkJson({ ...found, image: at("case.vhdx"), leaksFixed: 0, corruptionsFixed: 0 });
  expect(numbers).toEqual(JSON.parse(stdout));
  expect(findings).toHaveLength(2);
});

describe("a log that has to be replayed", () => {
  const SHAPES: Readonly<Record<string, DirtyShape>> = {
    "two entries": {},
    "behind entries that are done with, beside an older run": { done: 3, hasOlder: true },
    "metadata in the log alone": { hasMetadata: true },
    "round the log's end": { at: 2 ** 20 - 2 * SECTOR },
  };

  test.each(Object.entries(SHAPES))("is replayed as QEMU replays it: %s", async (_name, shape) => {
    const { bytes, guest } = buildDirty(shape);
    for (const name of ["ours.vhdx", "theirs.vhdx"]) writeFileSync(at(name), bytes);
    writeFileSync(at("guest.raw"), guest);
    for (const words of [["check"], ["info"]] as const) {
      const { status, stderr } = spawnSync("qemu-img", [...words, "-f", "vhdx", at("ours.vhdx")], { encoding: "utf8" });
      expect([status, stderr]).toEqual([1, expect.stringContaining("contains a log that needs to be replayed")]);
    }
    expect((await check(at("ours.vhdx"))).exitCode).toBe(1);
    const said = run("qemu-img", "check", "-r", "all", "-f", "vhdx", "theirs.vhdx");
    const mended = await check(at("ours.vhdx"), { repair: "all", keepUndo: true });
    expect(`${fixedText(mended)}${resultText(mended)}`).toBe(said);
    for (const name of ["ours.vhdx", "theirs.vhdx"]) {
      const compared = run("qemu-img", "compare", "-f", "vhdx", "-F", "raw", name, "guest.raw");
      expect(compared).toContain("Images are identical.");
      run("qemu-img", "check", "-q", "-f", "vhdx", name);
    }
    expect(guestBySevenZip("ours.vhdx").equals(guest)).toBe(true);
    expect((await convert(at("theirs.vhdx"), "qcow2")).guestChecksum?.after).toBe(
      (await checksum(at("ours.vhdx"))).checksum,
    );
    // QEMU writes on what we mended, and what was kept leads back before that is done.
    copyFileSync(at("ours.vhdx"), at("copy.vhdx"));
    run("qemu-io", "-f", "vhdx", "-c", "write -P 7 1M 1M", "copy.vhdx");
    run("qemu-img", "check", "-q", "-f", "vhdx", "copy.vhdx");
    await rollback(at("ours.vhdx"));
    expect(readFileSync(at("ours.vhdx")).equals(bytes)).toBe(true);
  });

  test("QEMU leaves its file too short for its last block, and we do not", async () => {
    const { bytes, guest } = buildDirty({ isShort: true });
    writeFileSync(at("ours.vhdx"), bytes);
    writeFileSync(at("guest.raw"), guest);
    expect((await check(at("ours.vhdx"), { repair: "all" })).exitCode).toBe(0);
    expect(run("qemu-img", "compare", "-f", "vhdx", "-F", "raw", "ours.vhdx", "guest.raw")).toContain("identical");
  });
});
