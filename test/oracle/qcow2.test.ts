/** qcow2 as a source, against what qemu-img says of the same images: mapping, check, info, contents, damage. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Json, kebabKeys } from "../../src/convert/reading/kebab-keys.ts";
import type { Qcow2SpecificInfo } from "../../src/formats/details.ts";
import { qcow2Driver } from "../../src/formats/qcow2/driver.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../../src/image/extent.ts";
import type { CheckResult } from "../../src/image/finding.ts";
import { inflateCluster } from "../../src/image/guest/inflate.ts";
import type { Image } from "../../src/image/source.ts";
import { checkOf } from "../../src/image/source.ts";
import { FileVolume } from "../../src/storage/file/file-volume.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { readZeroFilled } from "../../src/storage/storage.ts";
import { Qcow2Mutator } from "../formats/qcow2/mutator.ts";
import { makeSample, run, runForJson, SAMPLES, wordsToOpen, writeTo } from "../formats/qcow2/samples.ts";
import { openWith } from "../support/open-with.ts";
import { sampled } from "../support/oracle-sample.ts";
import { type Random, seededRandom } from "../support/random.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qcow2-oracle-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function withImage<T>(path: string, use: (image: Image) => Promise<T>): Promise<T> {
  const storage = await new FileVolume().openForReading(path);
  try {
    return await use(await openWith(qcow2Driver, storage));
  } finally {
    await storage.close();
  }
}

/** The numbers of a check by qemu-img's names; it leaves zeros out. */
function checkNumbers(result: CheckResult): Record<string, number> {
  return {
    "image-end-offset": result.imageEndOffset,
    "total-clusters": result.totalClusters,
    "allocated-clusters": result.allocatedClusters,
    "fragmented-clusters": result.fragmentedClusters,
    "compressed-clusters": result.compressedClusters,
    corruptions: result.corruptions,
    leaks: result.leaks,
    "check-errors": result.checkErrors,
  };
}

function qemuNumbers(report: Record<string, number>, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, report[name] ?? 0]));
}

interface Row {
  start: number;
  length: number;
  what: string;
  hostOffset: number;
}

/** Joins neighbours that say the same, so that only meaning is compared. */
function joined(rows: Iterable<Row>): Row[] {
  const all: Row[] = [];
  for (const row of rows) {
    const last = all.at(-1);
    const continues = last !== undefined && last.what === row.what;
    if (continues && (row.what !== "data" || last.hostOffset + last.length === row.hostOffset))
      last.length += row.length;
    else all.push({ ...row });
  }
  return all;
}

function* ourRows(table: ExtentTable): Generator<Row> {
  const names = Object.fromEntries(Object.entries(ExtentState).map(([name, state]) => [state, name]));
  for (const { guestOffset, hostOffset, length, state } of eachExtent(table)) {
    yield {
      start: guestOffset,
      length,
      what: names[state] as string,
      hostOffset: state === ExtentState.data ? hostOffset : -1,
    };
  }
}

interface MapRow {
  start: number;
  length: number;
  depth: number;
  present: boolean;
  zero: boolean;
  data: boolean;
  offset?: number;
}

function* qemuRows(rows: readonly MapRow[]): Generator<Row> {
  for (const { start, length, depth, present, zero, data, offset } of rows) {
    const isOurs = depth === 0 && present;
    const what = !isOurs ? "unallocated" : zero && !data ? "zero" : offset === undefined ? "compressed" : "data";
    yield { start, length, what, hostOffset: what === "data" ? (offset as number) : -1 };
  }
}

describe.each(SAMPLES.map((sample) => [sample.name, sample] as const))("%s", (_, sample) => {
  let path = "";
  beforeAll(() => {
    path = makeSample(folder, sample);
  });

  it("is mapped as qemu-img maps it", async () => {
    const rows: MapRow[] = JSON.parse(run("qemu-img", "map", "--output=json", ...wordsToOpen(sample, path)));
    const table = await withImage(path, (image) => image.getMapping());
    expect(joined(ourRows(table))).toEqual(joined(qemuRows(rows)));
  });

  it("checks with qemu-img's numbers", async () => {
    const report = runForJson("qemu-img", "check", "--output=json", ...wordsToOpen(sample, path));
    const numbers = checkNumbers(await withImage(path, (image) => checkOf(image)));
    expect(numbers).toEqual(qemuNumbers(report as Record<string, number>, Object.keys(numbers)));
    expect(numbers.corruptions).toBe(0);
    expect(numbers.leaks).toBe(0);
  });

  it("is described as qemu-img describes it", async () => {
    const info = JSON.parse(run("qemu-img", "info", "--output=json", path));
    const { formatSpecific } = (await withImage(path, async (image) => image.getSpecificInfo())) as Qcow2SpecificInfo;
    const ours = kebabKeys(formatSpecific.data) as Record<string, Json>;
    const theirs = info["format-specific"].data;
    expect(ours).toEqual(theirs);
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  });

  it("holds what qemu-img reads", async () => {
    if (sample.openWords !== undefined) return;
    const rawPath = `${path}.raw`;
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", path, rawPath);
    if (statSync(rawPath).size > 2 ** 27) return;
    const guest = await withImage(path, readGuest);
    expect(guest.equals(readFileSync(rawPath))).toBe(true);
  });
});

async function readGuest(image: Image): Promise<Buffer> {
  const guest = Buffer.alloc(image.virtualSize);
  for (const { guestOffset, hostOffset, length, state, storedLength } of eachExtent(await image.getMapping())) {
    if (state === ExtentState.data) guest.set(await readZeroFilled(image.storage, hostOffset, length), guestOffset);
    if (state !== ExtentState.compressed) continue;
    const stored = await readZeroFilled(image.storage, hostOffset, storedLength);
    guest.set(
      inflateCluster(image.getConversionOptions().compression, stored, image.clusterSize).subarray(0, length),
      guestOffset,
    );
  }
  return guest;
}

it("passes unallocated clusters on to the backing file, subclusters too", async () => {
  const below = makeSample(folder, { name: "below", options: "", size: "4M", commands: ["write 0 4M"] });
  const above = join(folder, "above.qcow2");
  run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "extended_l2=on", "-b", below, "-F", "qcow2", above);
  writeTo(above, "write 4k 2k", "write -z 70k 4k", "write -z 512k 64k", "discard 1M 64k");
  const rows: MapRow[] = JSON.parse(run("qemu-img", "map", "--output=json", above));
  await withImage(above, async (image) => {
    expect(joined(ourRows(await image.getMapping()))).toEqual(joined(qemuRows(rows)));
    const { backing } = image.getConversionOptions();
    expect(backing?.name).toBe(below);
    expect(backing?.format).toBe("qcow2");
  });
});

it("reads a file that ends inside its last cluster", async () => {
  const path = makeSample(folder, { name: "short", options: "", size: "1M", commands: ["write -P 5 0 64k"] });
  const size = statSync(path).size;
  run("truncate", "-s", String(size - 60_000), path);
  const report = runForJson("qemu-img", "check", "--output=json", path);
  await withImage(path, async (image) => {
    const numbers = checkNumbers(await checkOf(image));
    expect(numbers).toEqual(qemuNumbers(report as Record<string, number>, Object.keys(numbers)));
    const guest = await readGuest(image);
    expect(guest.subarray(0, 5536).every((byte) => byte === 5)).toBe(true);
    expect(guest.subarray(5536).every((byte) => byte === 0)).toBe(true);
  });
});

function randomCommand(random: Random): string {
  const start = random.below(480) * 4;
  const length = 4 * (1 + random.below(20));
  return random.pick([
    `write -P ${1 + random.below(255)} ${start}k ${length}k`,
    `write -P ${1 + random.below(255)} ${start + 1}k 1k`,
    `write -z ${start}k ${length}k`,
    `write -z -u ${start}k ${length}k`,
    `discard ${start}k ${length}k`,
  ]);
}

describe("random use leaves images that check as qemu-img says", () => {
  it.each([1, 2, 3, 4, 5, 6])("seed %i", async (seed) => {
    const random = seededRandom(seed);
    const options = random.pick([
      "cluster_size=4k",
      "cluster_size=16k,refcount_bits=8",
      "extended_l2=on,cluster_size=16k",
      "cluster_size=512",
      "compat=0.10",
    ]);
    const path = makeSample(folder, { name: `used-${seed}`, options, size: "2M" });
    const snapshots: string[] = [];
    for (let turn = 0; turn < 6; turn++) {
      writeTo(path, ...Array.from({ length: 12 }, () => randomCommand(random)));
      if (turn === 2) run("qemu-img", "convert", "-q", "-c", "-O", "qcow2", "-o", options, path, `${path}.c`);
      const use = random.below(3);
      if (use === 0 || snapshots.length === 0) {
        snapshots.push(`s${turn}`);
        run("qemu-img", "snapshot", "-c", `s${turn}`, path);
      } else if (use === 1) run("qemu-img", "snapshot", "-a", random.pick(snapshots), path);
    }
    for (const used of [path, `${path}.c`]) {
      writeTo(used, ...Array.from({ length: 6 }, () => randomCommand(random)));
      const report = runForJson("qemu-img", "check", "--output=json", used);
      const numbers = checkNumbers(await withImage(used, (image) => checkOf(image)));
      expect(numbers).toEqual(qemuNumbers(report as Record<string, number>, Object.keys(numbers)));
      expect(numbers.corruptions).toBe(0);
      const rows: MapRow[] = JSON.parse(run("qemu-img", "map", "--output=json", used));
      expect(joined(ourRows(await withImage(used, (image) => image.getMapping())))).toEqual(joined(qemuRows(rows)));
    }
  });
});

describe("damaged images get qemu-img's numbers", () => {
  const damaged = SAMPLES.filter(({ name }) => name !== "aes" && name !== "several-l2");
  it.each(sampled(damaged, 3).map((sample) => [sample.name, sample] as const))("%s", async (name, sample) => {
    const whole = readFileSync(makeSample(folder, { ...sample, name: `whole-${name}` }));
    const mutator = new Qcow2Mutator(whole);
    const random = seededRandom(2011);
    const path = join(folder, `damaged-${name}.qcow2`);
    let comparedCount = 0;
    for (let turn = 0; turn < 12; turn++) {
      const { image: bytes, mutations } = mutator.mutate(random, 1 + random.below(2));
      writeFileSync(path, bytes);
      const report = runForJson("qemu-img", "check", "-f", "qcow2", "--output=json", path);
      // What qemu-img can't open or check at all is compared by the unit tests' own expectations.
      if (report === undefined) continue;
      const result = await checkOf(await openWith(qcow2Driver, memoryStorage(bytes)));
      comparedCount++;
      const numbers = checkNumbers(result);
      const history = mutations.map(({ what, at, before, after }) => `${what} ${at}: ${before} -> ${after}`);
      expect({ ...numbers, history }).toEqual({ ...qemuNumbers(report, Object.keys(numbers)), history });
    }
    expect(comparedCount).toBeGreaterThan(5);
  });
});
