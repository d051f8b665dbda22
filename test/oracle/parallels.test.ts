/** Parallels images against qemu-img: what we read, check and convert, under both magics. */

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
import { buildParallels, dirtyBitmap } from "../formats/parallels/builder.ts";
import { parallelsCases } from "../formats/parallels/cases.ts";
import { readParallelsNaively } from "../formats/parallels/naive-reader.ts";
import { infoAsQemu, infoTextAsQemu, mapAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-parallels-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WRITES = ["write -P 1 2M 64k", "write -P 2 0 4k", "write -P 3 3M 1k", "write -P 4 4200k 512"];

function madeByQemu(clusterSize: string): void {
  run("qemu-img", "create", "-q", "-f", "parallels", "-o", `cluster_size=${clusterSize}`, "disk.hds", "4301312");
  run("qemu-io", "-t", "unsafe", "-f", "parallels", ...WRITES.flatMap((each) => ["-c", each]), "disk.hds");
  run("qemu-img", "convert", "-f", "parallels", "-O", "raw", "disk.hds", "disk.raw");
}

describe.each([["64k"], ["1M"], ["2M"]])("of qemu-img's making, in tracks of %s", (clusterSize) => {
  test("info, check, map and guest", async () => {
    madeByQemu(clusterSize);
    const found = await info(at("disk.hds"));
    // Of this format alone QEMU tells no mark.
    const { "dirty-flag": isDirty, ...told } = infoAsQemu(found) as Record<string, unknown>;
    expect(isDirty).toBe(false);
    expect(told).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at("disk.hds"))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at("disk.hds"))));
    const checked = await check(at("disk.hds"));
    expect({ exitCode: checked.exitCode, text: checked.text }).toEqual({
      exitCode: 0,
      text: run("qemu-img", "check", "disk.hds"),
    });
    expect(mapAsQemu((await map(at("disk.hds"))).entries)).toEqual(
      JSON.parse(run("qemu-img", "map", "--output=json", "disk.hds")),
    );
    expect(`${mapText(await map(at("disk.hds")))}\n`).toBe(run("qemu-img", "map", at("disk.hds")));
    expect(await compare(at("disk.hds"), at("disk.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    expect((await checksum(at("disk.hds"), { algorithm: "sha256" })).checksum).toBe(
      run("sha256sum", "disk.raw").split(" ")[0],
    );
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["qcow2", {}],
    ["qed", { cluster_size: "64k" }],
    ["raw", {}],
    ["vpc", { subformat: "fixed", force_size: "on" }],
  ])("to %s, %j: tracks stay where clusters can name them", async (format, options) => {
    madeByQemu(clusterSize);
    const before = readFileSync(at("disk.hds"));
    const isStraight = format === "qcow2" || format === "qed";
    if (isStraight) {
      await convert(at("disk.hds"), format, { options, keepUndo: true });
      await rollback(at("disk.hds"));
      expect(readFileSync(at("disk.hds")).equals(before)).toBe(true);
    }
    // Compacting, which brings the new tables nearer, would move tracks as well.
    const report = await convert(at("disk.hds"), format, { options, ...(isStraight && { compact: false }) });
    if (isStraight) expect(report.bytesMoved).toBe(0);
    expect(run("qemu-img", "compare", "-f", format, "-F", "raw", "disk.hds", "disk.raw")).toContain("identical");
    if (isStraight) run("qemu-img", "check", "-f", format, "disk.hds");
  });
});

const accepted = parallelsCases.filter(({ name }) => name.startsWith("accept/"));
test.each(accepted.map(({ name, bytes }) => [name, bytes] as const))(
  "%s: the same guest to QEMU",
  async (_name, bytes) => {
    writeFileSync(at("case.hds"), bytes);
    writeFileSync(at("case.raw"), readParallelsNaively(bytes));
    expect(run("qemu-img", "compare", "-f", "parallels", "-F", "raw", "case.hds", "case.raw")).toContain("identical");
    expect((await checksum(at("case.hds"))).checksum).toBe(
      (await checksum(at("case.raw"), { format: "raw" })).checksum,
    );
    expect((await info(at("case.hds"))).virtualSize).toBe(readFileSync(at("case.raw")).length);
  },
);

test("a damaged image is told line by line as qemu-img tells it", async () => {
  const { bytes } = buildParallels({ virtualSize: 40 * 4096, data: [0, 1, 5], inUse: 0x746f6e59, leaks: 3 });
  const image = Buffer.from(bytes);
  for (const index of [2, 7]) image.writeUInt32LE(0x100 * index, 64 + index * 4);
  writeFileSync(at("bad.hds"), image);
  await expectAsQemu("bad.hds");
  writeFileSync(
    at("leaks.hds"),
    buildParallels({ virtualSize: 40 * 4096, data: [0, 1, 5], leaks: 3, missing: 7 }).bytes,
  );
  await expectAsQemu("leaks.hds");
});

async function expectAsQemu(name: string): Promise<void> {
  const theirs = spawnSync("qemu-img", ["check", name], { cwd: folder, encoding: "utf8" });
  const lines: (string | undefined)[] = [];
  const ours = await check(at(name), { onFinding: ({ line }) => lines.push(line) });
  expect({ exitCode: ours.exitCode, text: ours.text, said: `${lines.filter(Boolean).join("\n")}\n` }).toEqual({
    exitCode: theirs.status,
    text: theirs.stdout,
    said: theirs.stderr,
  });
}

test("dirty bitmaps go by the user's word alone, and what holds them is no leak", async () => {
  const { bytes, guest } = buildParallels({
    virtualSize: 40 * 4096,
    data: [0, 1, 5],
    extension: dirtyBitmap(40 * 4096, 0xab),
  });
  writeFileSync(at("marked.hds"), bytes);
  writeFileSync(at("marked.raw"), guest);
  expect(await check(at("marked.hds"))).toMatchObject({ exitCode: 0, leaks: 0 });
  await expect(convert(at("marked.hds"), "qcow2")).rejects.toThrow("Cannot keep the bitmaps abababab");
  const { dropped } = await convert(at("marked.hds"), "qcow2", { drop: ["bitmaps"] });
  expect(dropped).toEqual([`bitmap ${"ab".repeat(16)}`]);
  expect(run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", "marked.hds", "marked.raw")).toContain("identical");
  run("qemu-img", "check", "-f", "qcow2", "marked.hds");
});

test("an image that stores nothing keeps its BAT, however long that is", async () => {
  // qemu-img 7.2 takes what lies behind the first track for leaked, the BAT too.
  run("qemu-img", "create", "-q", "-f", "parallels", "-o", "cluster_size=64k", "empty.hds", "8G");
  expect(await check(at("empty.hds"))).toMatchObject({ exitCode: 0, leaks: 0 });
  await convert(at("empty.hds"), "qcow2");
  run("qemu-img", "check", "-f", "qcow2", "empty.hds");
});
