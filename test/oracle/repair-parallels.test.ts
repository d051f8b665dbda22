/** Damaged Parallels images, mended by us and by `qemu-img check -r all`: wherever that leaves no corruption, nor do we, and the guest is the same. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { rollback } from "../../src/convert/recover.ts";
import { buildParallels } from "../formats/parallels/builder.ts";
import { seededRandom } from "../support/random.ts";

const COUNT = Number(process.env.REPAIR_MUTANTS ?? 16);
const IN_USE = 0x746f6e59;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "repair-parallels-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

function qemuCheck(name: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync("qemu-img", ["check", ...words, "-f", "parallels", at(name)], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** Tracks are given back, entries lead somewhere else, and the last writer may not have closed it. */
function mutant(seed: number): Buffer {
  const random = seededRandom(seed);
  const { bytes } = buildParallels({
    virtualSize: 40 * 4096,
    data: [0, 1, 5, 9, 17, 39],
    seed: seed + 1,
    leaks: random.pick([0, 0, 2]),
    inUse: random.pick([0, 0x312e3276, IN_USE]),
    magic: random.pick(["WithouFreSpacExt", "WithoutFreeSpace"] as const),
  });
  const image = Buffer.from(bytes);
  for (let turn = 0; turn < random.below(4); turn++) {
    // Nothing that is used by a track is named by another.
    image.writeUInt32LE(random.pick([0, 20_000, 0xffffffff, 70_000]), 64 + 4 * random.below(40));
  }
  return image;
}

test(`${COUNT} mutants`, { timeout: 60_000 + COUNT * 1000 }, async () => {
  const counts = { clean: 0, mended: 0, byConsent: 0 };
  for (let seed = 0; seed < COUNT; seed++) {
    for (const name of ["ours.hds", "theirs.hds"]) writeFileSync(at(name), mutant(seed));
    const theirs = qemuCheck("theirs.hds", "-r", "all");
    let ours = await check(at("ours.hds"), { repair: "all" });
    if (ours.corruptions > 0) {
      // What such an entry meant may be among what is leaked: then it stays, until the user gives it up.
      expect(ours.losses.length, `seed ${seed}`).toBeGreaterThan(0);
      expect(readFileSync(at("ours.hds")).equals(mutant(seed)), `seed ${seed}`).toBe(true);
      ours = await check(at("ours.hds"), { repair: "all", allowDataLoss: true });
      counts.byConsent++;
    } else if (ours.corruptionsFixed > 0) counts.mended++;
    else counts.clean++;
    expect(ours.corruptions, `seed ${seed}`).toBe(0);
    expect(qemuCheck("ours.hds").stdout, `seed ${seed}`).not.toContain("errors were found on the image.\nData");
    const fixed = Number(/(\d+) corruptions/.exec(theirs.stdout)?.[1] ?? 0);
    expect(ours.corruptionsFixed, `seed ${seed}`).toBe(fixed);
    const compared = spawnSync("qemu-img", [
      "compare",
      "-f",
      "parallels",
      "-F",
      "parallels",
      at("ours.hds"),
      at("theirs.hds"),
    ]);
    expect(compared.status, `seed ${seed}`).toBe(0);
  }
  expect(Math.min(counts.clean, counts.mended, counts.byConsent)).toBeGreaterThan(0);
});

test("what is mended is told line by line as qemu-img tells it, and a rollback brings every byte back", async () => {
  const image = Buffer.from(buildParallels({ virtualSize: 40 * 4096, data: [0, 1, 5], inUse: IN_USE }).bytes);
  for (const track of [3, 7]) image.writeUInt32LE(9999, 64 + track * 4);
  for (const name of ["ours.hds", "theirs.hds"]) writeFileSync(at(name), image);
  const theirs = qemuCheck("theirs.hds", "-r", "all");
  const lines: (string | undefined)[] = [];
  const ours = await check(at("ours.hds"), {
    repair: "all",
    keepUndo: true,
    onFinding: ({ line }) => lines.push(line),
  });
  expect([ours.exitCode, ours.corruptionsFixed]).toEqual([theirs.status, 3]);
  expect(theirs.stdout).toContain("    3 corruptions\n");
  expect(theirs.stdout.endsWith(ours.text)).toBe(true);
  // Ours are told what was found first.
  expect(`${lines.filter((line) => line?.startsWith("Repairing")).join("\n")}\n`).toBe(theirs.stderr);
  // QEMU makes the file as long as the farthest entry said before it drops that.
  expect(readFileSync(at("ours.hds")).equals(readFileSync(at("theirs.hds")).subarray(0, image.length))).toBe(true);
  await rollback(at("ours.hds"));
  expect(readFileSync(at("ours.hds")).equals(image)).toBe(true);
});

test("leaks behind the last track are told, and stay: no repair shortens a file", async () => {
  const { bytes } = buildParallels({ virtualSize: 40 * 4096, data: [0, 1, 5], leaks: 3 });
  writeFileSync(at("leaks.hds"), bytes);
  for (const repair of ["leaks", "all"] as const) {
    expect(await check(at("leaks.hds"), { repair })).toMatchObject({
      exitCode: 3,
      leaks: 3,
      leaksFixed: 0,
      changed: false,
    });
  }
  expect(readFileSync(at("leaks.hds")).equals(Buffer.from(bytes))).toBe(true);
});

test("an entry over which a guest's track lies is left alone", async () => {
  const image = Buffer.from(
    buildParallels({ virtualSize: 40 * 4096, data: [0, 1, 5], magic: "WithoutFreeSpace", moreEntries: 300 }).bytes,
  );
  image.writeUInt32LE(1, 68);
  image.writeUInt32LE(0xffff, 64 + 4 * 300);
  writeFileSync(at("bad.hds"), image);
  const ours = await check(at("bad.hds"), { repair: "all", allowDataLoss: true });
  expect({ corruptions: ours.corruptions, changed: ours.changed }).toEqual({ corruptions: 1, changed: false });
  expect(readFileSync(at("bad.hds")).equals(image)).toBe(true);
});
