/** Damaged files of qemu-img's, repaired with the undo kept: qemu-img finds them clean, and rollback gives the old bytes. */

import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { Qcow2Mutator } from "../formats/qcow2/mutator.ts";
import { makeSample, SAMPLES } from "../formats/qcow2/samples.ts";
import { fileDigest, qemuIo } from "../support/qemu-tools.ts";
import { seededRandom } from "../support/random.ts";

const folder = await mkdtemp(join(tmpdir(), "inplace-repair-undo-"));
afterAll(() => rm(folder, { recursive: true }));

const NAMES = [
  "mixed",
  "cluster-512",
  "cluster-1k-refcount-1",
  "subclusters",
  "snapshots",
  "bitmaps",
  "zlib-then-written",
];
const MUTANTS_EACH = 4;

const left = async () => (await readdir(folder)).filter((name) => name.includes(".inplace-"));
const qemuCheck = (path: string, ...words: string[]) =>
  spawnSync("qemu-img", ["check", "-q", "-f", "qcow2", ...words, path], { encoding: "utf8" }).status;

describe.each(SAMPLES.filter(({ name }) => NAMES.includes(name)))("damaged: $name", (sample) => {
  test("repaired, clean by qemu-img where its own repair is, and back", { timeout: 60_000 }, async () => {
    const mutator = new Qcow2Mutator(await readFile(makeSample(folder, sample)));
    const path = join(folder, `${sample.name}-mutant.qcow2`);
    const copy = `${path}-copy`;
    let changed = 0;
    for (let seed = 1; seed <= MUTANTS_EACH; seed++) {
      const random = seededRandom(seed * 31 + sample.name.length);
      await writeFile(path, mutator.mutate(random, 1 + random.below(2)).image);
      await copyFile(path, copy);
      const before = await fileDigest(path);
      const about = `${sample.name}, seed ${seed}`;
      // What may refuse the image altogether: then nothing is written.
      const report = await check(path, { format: "qcow2", repair: "all", allowDataLoss: true, keepUndo: true }).catch(
        () => undefined,
      );
      if (report?.changed !== true) {
        expect(await fileDigest(path), about).toBe(before);
        expect(await left(), about).toEqual([]);
        continue;
      }
      changed++;
      expect(await left(), about).toEqual([`${sample.name}-mutant.qcow2.inplace-undo`]);
      const repaired = await fileDigest(path);
      qemuCheck(copy, "-r", "all");
      if (qemuCheck(copy) === 0) expect(qemuCheck(path), about).toBe(0);
      expect(await fileDigest(path), about).toBe(repaired);
      await rollback(path);
      expect(await fileDigest(path), about).toBe(before);
      expect(await left(), about).toEqual([]);
    }
    expect(changed).toBeGreaterThan(0);
  });
});

test.each(["leaks", "all"] as const)("a repair of %s tells what qemu-img's tells, line by line", async (scope) => {
  const sample = SAMPLES.find(({ name }) => name === "mixed") as (typeof SAMPLES)[number];
  const path = makeSample(folder, { ...sample, name: `told-${scope}` });
  const bytes = await readFile(path);
  const block = Number(bytes.readBigUInt64BE(Number(bytes.readBigUInt64BE(48))));
  bytes.writeUInt16BE(3, block + 2 * 5);
  const l2 = Number(bytes.readBigUInt64BE(Number(bytes.readBigUInt64BE(40))) & 0x00ff_ffff_ffff_fe00n);
  bytes.writeUInt8(bytes.readUInt8(l2) & 0x7f, l2);
  await writeFile(path, bytes);
  await copyFile(path, `${path}-copy`);
  const told: string[] = [];
  const { fixedText, text, exitCode } = await check(path, {
    repair: scope,
    onFinding: ({ line }) => line !== undefined && told.push(line),
  });
  const theirs = spawnSync("qemu-img", ["check", "-r", scope, "-f", "qcow2", `${path}-copy`], { encoding: "utf8" });
  expect(told).toEqual(theirs.stderr.trimEnd().split("\n"));
  expect({ stdout: fixedText + text, status: exitCode }).toEqual({ stdout: theirs.stdout, status: theirs.status });
});

test("once QEMU wrote to the repaired image it is not put back; resume gives the undo up and keeps what was written", async () => {
  const sample = SAMPLES.find(({ name }) => name === "mixed") as (typeof SAMPLES)[number];
  const path = makeSample(folder, { ...sample, name: "used" });
  const bytes = await readFile(path);
  const block = Number(bytes.readBigUInt64BE(Number(bytes.readBigUInt64BE(48))));
  bytes.writeUInt16BE(3, block + 2 * 5);
  bytes.writeUInt16BE(0, block + 2 * 6);
  await writeFile(path, bytes);
  expect(await check(path, { repair: "all", keepUndo: true })).toMatchObject({ changed: true, exitCode: 0 });
  await qemuIo(path, "qcow2", ["write -P 77 3800k 64k"]);
  const used = await fileDigest(path);
  await expect(rollback(path)).rejects.toMatchObject({ kind: "changed-underneath", journal: `${path}.inplace-undo` });
  expect(await fileDigest(path)).toBe(used);
  await resume(path);
  expect(await fileDigest(path)).toBe(used);
  expect(await left()).toEqual([]);
  expect(qemuCheck(path)).toBe(0);
});
