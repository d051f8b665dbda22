/** VDI images against qemu-img and 7-Zip: what we read, check and convert, dynamic and static. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map, mapText } from "../../src/convert/reading/map.ts";
import { rollback } from "../../src/convert/recover.ts";
import { buildVdi } from "../formats/vdi/builder.ts";
import { vdiCases } from "../formats/vdi/cases.ts";
import { readVdiNaively } from "../formats/vdi/naive-reader.ts";
import { sampled } from "../support/oracle-sample.ts";
import { infoAsQemu, infoTextAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

const MiB = 1024 * 1024;
let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-vdi-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WRITES = ["write -P 1 2M 64k", "write -P 2 0 4k", "write -P 3 3M 1k", "write -z 3M 1M"];

function madeByQemu(options: readonly string[], size = "4200448"): Buffer {
  run("qemu-img", "create", "-q", "-f", "vdi", ...options, "disk.vdi", size);
  run("qemu-io", "-t", "unsafe", "-f", "vdi", ...WRITES.flatMap((each) => ["-c", each]), "disk.vdi");
  run("qemu-img", "convert", "-f", "vdi", "-O", "raw", "disk.vdi", "disk.raw");
  return readFileSync(at("disk.raw"));
}

const guestBySevenZip = (name: string): Buffer =>
  execFileSync("7zz", ["e", "-so", "-tvdi", at(name)], { maxBuffer: 2 ** 27, stdio: ["ignore", "pipe", "ignore"] });

describe.each([["dynamic"], ["static", "-o", "static=on"]])("of qemu-img's making: %s", (_name, ...options) => {
  test("info, check, map and guest, to three readers", async () => {
    const guest = madeByQemu(options);
    const found = await info(at("disk.vdi"));
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at("disk.vdi"))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at("disk.vdi"))));
    const checked = await check(at("disk.vdi"));
    expect({ exitCode: checked.exitCode, text: checked.text }).toEqual({
      exitCode: 0,
      text: run("qemu-img", "check", "disk.vdi"),
    });
    expect(await stateRows(at("disk.vdi"))).toEqual(qemuRows("disk.vdi"));
    expect(await compare(at("disk.vdi"), at("disk.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    expect((await checksum(at("disk.vdi"), { algorithm: "sha256" })).checksum).toBe(
      run("sha256sum", "disk.raw").split(" ")[0],
    );
    expect(guestBySevenZip("disk.vdi").equals(guest)).toBe(true);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["qcow2", {}],
    ["qcow2", { cluster_size: "512" }],
    ["qed", { cluster_size: "64k" }],
    ["raw", {}],
    ["vpc", { subformat: "fixed", force_size: "on" }],
  ])("to %s, %j, and put back by what was kept", async (format, options_) => {
    const guest = madeByQemu(options);
    const before = readFileSync(at("disk.vdi"));
    const isStraight = format === "qcow2" || format === "qed";
    if (isStraight) {
      await convert(at("disk.vdi"), format, { options: options_, keepUndo: true });
      await rollback(at("disk.vdi"));
      expect(readFileSync(at("disk.vdi")).equals(before)).toBe(true);
    }
    const report = await convert(at("disk.vdi"), format, { options: options_ });
    // qemu-img's blocks lie at sectors, which clusters of a sector can name.
    if (options_.cluster_size === "512") expect(report.bytesMoved).toBe(0);
    expect(run("qemu-img", "compare", "-f", format, "-F", "raw", "disk.vdi", "disk.raw")).toContain("identical");
    if (isStraight) run("qemu-img", "check", "-f", format, "disk.vdi");
    expect(report.virtualSize).toBe(guest.length);
  });
});

/** Where QEMU tells what lies nowhere it is one of two: `present`, which we say of zeros alone, is left out. */
async function stateRows(path: string) {
  return joined((await map(path)).entries);
}

interface Row {
  readonly start: number;
  readonly length: number;
  readonly data: boolean;
  readonly zero: boolean;
  readonly offset?: number;
}

/** QEMU splits by holes of the file. */
function qemuRows(name: string) {
  const rows: Row[] = JSON.parse(run("qemu-img", "map", "--output=json", name));
  return joined(rows.map((row) => ({ ...row, zero: row.zero && !row.data })));
}

function joined(rows: readonly Row[]): Row[] {
  const all: Row[] = [];
  for (const { start, length, data, zero, offset } of rows) {
    const last = all.at(-1);
    const next = last?.offset === undefined ? undefined : last.offset + last.length;
    if (last?.data === data && offset === next) all[all.length - 1] = { ...last, length: last.length + length };
    else all.push({ start, length, data, zero, ...(offset === undefined ? {} : { offset }) });
  }
  return all;
}

test("what people read of a map is word for word qemu-img's", async () => {
  madeByQemu([]);
  expect(`${mapText(await map(at("disk.vdi")))}\n`).toBe(run("qemu-img", "map", at("disk.vdi")));
});

test("blocks that lie as VirtualBox puts them stay where they are", async () => {
  const { bytes, guest } = buildVdi({ virtualSize: 5 * MiB, data: [4, 0, 2], zero: [1], seed: 3, dataOffset: MiB });
  for (const cluster_size of ["64k", "1M"]) {
    writeFileSync(at("box.vdi"), bytes);
    writeFileSync(at("box.raw"), guest);
    const { bytesMoved } = await convert(at("box.vdi"), "qcow2", { options: { cluster_size } });
    expect(bytesMoved).toBe(0);
    expect(run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", "box.vdi", "box.raw")).toContain("identical");
    run("qemu-img", "check", "-f", "qcow2", "box.vdi");
  }
});

const accepted = vdiCases.filter(({ name }) => name.startsWith("accept/"));
test.each(sampled(accepted, 2).map(({ name, bytes }) => [name, bytes] as const))(
  "%s: to three readers",
  async (name, bytes) => {
    writeFileSync(at("case.vdi"), bytes);
    writeFileSync(at("case.raw"), readVdiNaively(bytes));
    expect(run("qemu-img", "compare", "-f", "vdi", "-F", "raw", "case.vdi", "case.raw")).toContain("identical");
    expect(JSON.parse(run("qemu-img", "info", "--output=json", "case.vdi"))["virtual-size"]).toBe(
      (await info(at("case.vdi"))).virtualSize,
    );
    // 7-Zip takes an odd length for no disk.
    if (!/odd-length/.test(name)) expect(guestBySevenZip("case.vdi").equals(readFileSync(at("case.raw")))).toBe(true);
  },
);

test("a comment is named as what a conversion drops", async () => {
  writeFileSync(at("said.vdi"), buildVdi({ virtualSize: MiB, data: [0], comment: "of a machine" }).bytes);
  expect((await convert(at("said.vdi"), "qcow2")).dropped).toEqual(["the comment in its header"]);
});

test("a damaged map is told line by line as qemu-img tells it", async () => {
  const bytes = Buffer.from(buildVdi({ virtualSize: 6 * MiB, data: [0, 1, 2] }).bytes);
  for (const [index, block] of [2, 0, 9, 0, 5, -3].entries()) bytes.writeInt32LE(block, 512 + index * 4);
  writeFileSync(at("bad.vdi"), bytes);
  const theirs = spawnSync("qemu-img", ["check", "-f", "vdi", "bad.vdi"], { cwd: folder, encoding: "utf8" });
  const lines: (string | undefined)[] = [];
  const ours = await check(at("bad.vdi"), { onFinding: ({ line }) => lines.push(line) });
  expect({ exitCode: ours.exitCode, text: ours.text, said: `${lines.filter(Boolean).join("\n")}\n` }).toEqual({
    exitCode: theirs.status,
    text: theirs.stdout,
    said: theirs.stderr,
  });
  await expect(convert(at("bad.vdi"), "qcow2")).rejects.toMatchObject({ kind: "corrupt" });
});
