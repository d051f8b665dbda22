/**
 * Damaged qcow2 images, mended by us and by `qemu-img check -r`: wherever qemu-img leaves a clean image ours is clean
 * too, with the same guest or more of it. REPAIR_MUTANTS=N and REPAIR_SEED=N go on for as long as wanted.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Qcow2Mutator } from "../formats/qcow2/mutator.ts";
import { makeSample, SAMPLES } from "../formats/qcow2/samples.ts";
import { type RepairOutcome, tryRepair } from "../support/repair-mutant.ts";

/** Of each sample. */
const COUNT = Number(process.env.REPAIR_MUTANTS ?? 5);
const SEED = Number(process.env.REPAIR_SEED ?? 1);
const AT_ONCE = 3;
const NAMES = [
  "empty",
  "mixed",
  "mixed-v2",
  "cluster-512",
  "cluster-1k-refcount-1",
  "cluster-4k-refcount-2",
  "cluster-4k-refcount-4",
  "cluster-4k-refcount-8",
  "cluster-4k-refcount-32",
  "cluster-512-refcount-64",
  "zlib-4k",
  "zstd",
  "subclusters-16k",
  "subclusters-zlib",
  "snapshots",
  "snapshots-zlib",
  "bitmaps",
];

let folder = "";
const outcomes = new Map<RepairOutcome, number>();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "repair-oracle-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const samples = SAMPLES.filter(({ name }) => NAMES.includes(name));

describe.each(samples.map((sample, row) => [sample.name, sample, row] as const))("%s", (name, sample, row) => {
  it(`${COUNT} mutants, mended by each scope`, { timeout: 60_000 + COUNT * 5000 }, async () => {
    const mutator = new Qcow2Mutator(readFileSync(makeSample(folder, sample)));
    const snapshots = name === "snapshots" ? ["two", "three"] : name === "snapshots-zlib" ? ["one"] : [];
    const failures: string[] = [];
    let next = 0;
    const work = async () => {
      while (next < COUNT) {
        const seed = SEED * 1_000_000 + row * 10_000 + next++;
        const scope = seed % 3 === 0 ? "leaks" : "all";
        try {
          const outcome = await tryRepair({ mutator, seed, scope, folder, name, snapshots });
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        } catch (cause) {
          failures.push((cause as Error).stack ?? String(cause));
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(failures.join("\n\n")).toBe("");
  });
});

it("the sample reaches every ending", () => {
  for (const outcome of ["both clean", "only ours clean", "neither clean"] as const) {
    expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
  }
});
