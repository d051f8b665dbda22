/** Power cuts while a GPT's backup moves: each state a disk that its primary reads, and both ways out of it. */

import { expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import { IMAGE_PATH, type Scenario, testHost } from "../support/crash-scenario.ts";
import { type GptDisk, gptDisk } from "../support/gpt-disk.ts";
import { sweepRelocation } from "../support/relocation-trial.ts";

const PARTITIONS = [[40, 79], undefined, [80, 100]] as const;

interface Case {
  readonly name: string;
  readonly to: "raw" | "vpc";
  readonly from?: "qcow2" | "vpc";
  readonly layout?: GptDisk;
  readonly options: Readonly<Record<string, string>>;
  readonly newSize: number;
  readonly more?: ConvertOptions;
  /** One of so many states. */
  readonly every?: number;
}

const VPC = { subformat: "fixed", gpt: "relocate" };

const cases: readonly Case[] = [
  { name: "raw", to: "raw", options: { align: "192k", gpt: "relocate" }, newSize: 196_608 },
  // By less than the backup takes, which comes over the old one.
  { name: "raw, by four sectors", to: "raw", options: { align: "26k", gpt: "relocate" }, newSize: 133_120 },
  {
    name: "raw, the undo kept",
    to: "raw",
    options: { align: "192k", gpt: "relocate" },
    newSize: 196_608,
    more: { keepUndo: true },
  },
  { name: "raw to vpc", to: "vpc", options: { ...VPC, align: "192k" }, newSize: 196_608 },
  {
    name: "raw to vpc, the undo kept",
    to: "vpc",
    options: { ...VPC, align: "26k" },
    newSize: 133_120,
    more: { keepUndo: true },
  },
  { name: "vpc to vpc", from: "vpc", to: "vpc", options: { ...VPC, align: "192k" }, newSize: 196_608, every: 2 },
  { name: "qcow2 to vpc", from: "qcow2", to: "vpc", options: { ...VPC, align: "192k" }, newSize: 196_608, every: 4 },
  {
    name: "qcow2 to raw",
    from: "qcow2",
    to: "raw",
    options: { align: "192k", gpt: "relocate" },
    newSize: 196_608,
    every: 8,
  },
];

async function scenarioOf({ name, from, to, options, more }: Case, disk: Buffer): Promise<Scenario> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: new Uint8Array(disk) });
  if (from === "vpc") {
    const made = { format: "raw", options: { subformat: "fixed", force_size: "on" } };
    await convert(IMAGE_PATH, from, made, testHost(volume));
  }
  if (from === "qcow2") {
    const made = { format: "raw", options: { cluster_size: "4k" }, check: false };
    await convert(IMAGE_PATH, from, made, testHost(volume));
  }
  const image = volume.snapshot(IMAGE_PATH);
  const format = from ?? "raw";
  return { name, image, sourceFormat: format, targetFormat: to, options: { ...more, format, options } };
}

test.each(cases)("$name", async (each) => {
  const disk = gptDisk({ partitions: PARTITIONS, ...each.layout });
  const { failures, states } = await sweepRelocation(await scenarioOf(each, disk), disk, each.newSize, each.every);
  expect(failures).toEqual([]);
  expect(states).toBeGreaterThan(100);
});
