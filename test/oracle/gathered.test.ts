/** Units brought together within little space, against qemu-img: the same guest, clean, no larger on the disk, and written to all over. */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert, plan } from "../../src/convert/convert.ts";
import { readByOthers } from "../formats/vpc/other-readers.ts";

const MiB = 1024 * 1024;
const SIZE = 14 * MiB + 512;
let folder: string;
const at = (name: string) => join(folder, name);
const run = (tool: string, ...words: readonly string[]) => execFileSync(tool, words, { encoding: "utf8" });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-gathered-"));
  const guest = Buffer.alloc(SIZE);
  // All but 4 MiB, a cluster here and there left out.
  for (let cluster = 0; cluster * 65_536 < SIZE; cluster++)
    if ((cluster < 60 || cluster > 123) && cluster % 7 !== 3)
      guest.fill(`cluster ${cluster} `, cluster * 65_536, Math.min((cluster + 1) * 65_536, SIZE));
  writeFileSync(at("guest.raw"), guest);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a guest may do: parts of what is stored, and what never was. */
const WRITES = ["0 512", "100k 130k", "3M 200k", "5M 1M", "11M 2M", "14M 512"];

test.each([
  ["vdi", "qcow2", {}, ["qcow", "gather", "qcow2", "compact"]],
  ["vpc", "qcow2", {}, ["qcow", "gather", "qcow2", "compact"]],
  ["qcow2", "vdi", {}, ["qcow", "gather", "vdi"]],
  ["raw", "vpc", {}, ["qcow", "gather", "vpc"]],
  ["qcow2", "vpc", { subformat: "dynamic" }, ["qcow", "gather", "vpc"]],
] as const)("%s to %s", async (from, to, options, steps) => {
  const image = at(`${from}-to-${to}`);
  const made = from === "vpc" ? ["-o", "force_size=on"] : [];
  if (from === "raw") copyFileSync(at("guest.raw"), image);
  else run("qemu-img", "convert", "-f", "raw", "-O", from, ...made, at("guest.raw"), image);
  const wishes = { format: from, options, maxExtraSpace: to === "vpc" ? 8 * MiB : 5 * MiB };
  const { report: planned } = await plan(image, to, wishes);
  const report = await convert(image, to, wishes);
  expect(report.path.map((step) => (step.step === "switch" ? step.to : step.goal))).toEqual(steps);
  expect(report.path).toEqual(planned.path);
  expect(report.peakExtraBytes).toBeLessThanOrEqual(wishes.maxExtraSpace);
  expect(report.bytesMoved).toBeLessThanOrEqual(1.5 * SIZE);
  const isSame = (raw: string) => run("qemu-img", "compare", "-f", "raw", "-F", to, raw, image);
  isSame(at("guest.raw"));
  if (to === "vpc") {
    expect(statSync(image).size).toBeLessThanOrEqual(planned.fileSizeAfter);
    await readByOthers(image, at("guest.raw"));
  } else run("qemu-img", "check", "-f", to, image);
  copyFileSync(at("guest.raw"), at("written.raw"));
  const words = WRITES.flatMap((place) => ["-c", `write -P 0x5a ${place}`]);
  for (const [path, format] of [
    [image, to],
    [at("written.raw"), "raw"],
  ] as const)
    run("qemu-io", "-f", format, ...words, path);
  isSame(at("written.raw"));
  if (to === "vpc") await readByOthers(image, at("written.raw"));
  else run("qemu-img", "check", "-f", to, image);
});
