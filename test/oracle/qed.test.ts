/** Our reading, checking, writing and settling of QED against qemu-img's. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KiB, MiB } from "../../src/bytes/align.ts";
import { RangeSet } from "../../src/bytes/range-set.ts";
import { qedDriver } from "../../src/formats/qed/driver.ts";
import { maxVirtualSize } from "../../src/formats/qed/header/header.ts";
import { qedTarget } from "../../src/formats/qed/target/target.ts";
import { ExtentState, eachExtent } from "../../src/image/extent.ts";
import type { Image } from "../../src/image/source.ts";
import { checkOf } from "../../src/image/source.ts";
import { FileVolume } from "../../src/storage/file/file-volume.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { buildQedImage, type QedImageDescription, setEntry } from "../formats/qed/builder.ts";
import { applyEpoch } from "../support/apply-epoch.ts";
import { openWith } from "../support/open-with.ts";
import { sampled } from "../support/oracle-sample.ts";
import { seededRandom } from "../support/random.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qed-oracle-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pathOf = (name: string): string => join(folder, name);

function run(tool: string, ...words: string[]): string {
  return execFileSync(tool, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

async function withImage<T>(path: string, use: (image: Image) => Promise<T>): Promise<T> {
  const storage = await new FileVolume().openForReading(path);
  try {
    return await use(await openWith(qedDriver, storage));
  } finally {
    await storage.close();
  }
}

/** What qemu-img check counts; it leaves out what is 0. */
function qemuCheck(path: string) {
  const { status, stdout, stderr } = spawnSync("qemu-img", ["check", "-f", "qed", "--output=json", path], {
    encoding: "utf8",
  });
  if (![0, 2, 3].includes(status ?? -1)) throw new Error(`qemu-img check: ${stderr}`);
  const found = JSON.parse(stdout);
  return {
    corruptions: found.corruptions ?? 0,
    leaks: found.leaks ?? 0,
    checkErrors: found["check-errors"],
    imageEndOffset: found["image-end-offset"] ?? 0,
    totalClusters: found["total-clusters"] ?? 0,
    allocatedClusters: found["allocated-clusters"] ?? 0,
    fragmentedClusters: found["fragmented-clusters"] ?? 0,
    compressedClusters: found["compressed-clusters"] ?? 0,
  };
}

async function ourCheck(path: string) {
  const { findings, warnings, ...counts } = await withImage(path, (image) => checkOf(image));
  expect(findings.filter(({ severity }) => severity === "warning")).toHaveLength(warnings);
  return counts;
}

/** Rows of qemu-img map, joined where both sides continue: it also splits by holes of the file. */
function qemuMap(path: string) {
  const rows: { start: number; length: number; zero: boolean; data: boolean; present: boolean; offset?: number }[] =
    JSON.parse(run("qemu-img", "map", "-f", "qed", "--output=json", path));
  return joined(
    rows.map(({ start, length, offset, present }) => ({
      guestOffset: start,
      length,
      hostOffset: offset ?? -1,
      state: offset !== undefined ? "data" : present ? "zero" : "unallocated",
    })),
  );
}

function ourMap(path: string) {
  const names = Object.entries(ExtentState);
  return withImage(path, async (image) =>
    [...eachExtent(await image.getMapping())].map(({ guestOffset, length, hostOffset, state }) => ({
      guestOffset,
      length,
      hostOffset,
      state: names.find(([, value]) => value === state)?.[0] as string,
    })),
  );
}

type MapRow = Awaited<ReturnType<typeof ourMap>>[number];
function joined(rows: readonly MapRow[]): MapRow[] {
  const all: MapRow[] = [];
  for (const row of rows) {
    const last = all.at(-1);
    const continues =
      last?.state === row.state && (row.hostOffset < 0 || last.hostOffset + last.length === row.hostOffset);
    if (last && continues) all[all.length - 1] = { ...last, length: last.length + row.length };
    else all.push(row);
  }
  return all;
}

const GEOMETRIES = [4 * KiB, 16 * KiB, 64 * KiB, 512 * KiB, 2 * MiB, 4 * MiB].flatMap((clusterSize) =>
  [2, 4, 8, 16]
    .filter((tableSize) => maxVirtualSize(clusterSize, tableSize) < 2 ** 64)
    .map((tableSize) => ({ clusterSize, tableSize })),
);

describe("reading QED as qemu-img does", () => {
  it.each(sampled(GEOMETRIES, 3))(
    "maps and checks cluster_size $clusterSize, table_size $tableSize",
    async ({ clusterSize, tableSize }) => {
      const path = pathOf("geometry.qed");
      const span = ((clusterSize * tableSize) / 8) * clusterSize;
      // Two tables where that is no sparse monster for qemu-img map, and an odd end.
      const size = Math.min(span * 2, 400 * clusterSize) + 512;
      run(
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qed",
        "-o",
        `cluster_size=${clusterSize},table_size=${tableSize}`,
        path,
        `${size}`,
      );
      const commands = [
        `write -P 1 ${clusterSize * 3} ${clusterSize}`,
        `write -P 2 0 ${clusterSize * 2}`,
        `write -z ${clusterSize * 5} ${clusterSize * 4}`,
        `write -P 3 ${clusterSize * 7} 512`,
        `write -P 4 ${size - 512} 512`,
        `write -z ${clusterSize * 20} ${clusterSize}`,
      ];
      run("qemu-io", "-f", "qed", ...commands.flatMap((command) => ["-c", command]), path);
      expect(await ourMap(path)).toEqual(qemuMap(path));
      expect(await ourCheck(path)).toEqual(qemuCheck(path));
      expect(await withImage(path, async (image) => (await image.planSettling?.())?.epochs)).toEqual([]);
    },
  );

  it("counts damage as qemu-img check does, on 60 damaged images", async () => {
    const random = seededRandom(2011);
    const path = pathOf("damaged.qed");
    const differing: unknown[] = [];
    let corrupted = 0;
    for (let round = 0; round < 60; round++) {
      const built = buildQedImage({
        virtualSize: 10 * MiB,
        data: [...new Set(Array.from({ length: 12 }, () => random.pick([random.below(20), random.below(2560)])))],
        zero: [21, 2559],
        seed: random.pick([0, round + 1]),
        shuffleTables: random.chance(0.5),
        leaks: random.below(3),
        headerSize: random.pick([1, 1, 2]),
        tail: random.pick([0, 0, 300]),
      });
      const view = new DataView(built.bytes.buffer);
      const clusterCount = Math.floor(built.bytes.length / 4096);
      const tables = [built.l1Offset, ...built.l2Offsets.values()];
      for (let damage = random.below(3); damage >= 0; damage--) {
        const value = random.pick([
          () => random.below(clusterCount + 2) * 4096,
          () => random.below(clusterCount + 2) * 4096,
          () => random.pick([...built.dataOffsets.values(), ...tables]),
          () => random.pick(tables) + 4096,
          () => random.below(clusterCount * 4096),
          () => random.pick([0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 40]),
        ])();
        const index = random.pick([random.below(4), random.below(1024)]);
        setEntry(view, random.pick(tables), index, BigInt(value) | (random.chance(0.1) ? 1n << 62n : 0n));
      }
      writeFileSync(path, built.bytes);
      const theirs = qemuCheck(path);
      const ours = await ourCheck(path);
      if (theirs.corruptions > 0) corrupted++;
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) differing.push({ round, ours, theirs });
    }
    expect(differing).toEqual([]);
    expect(corrupted).toBeGreaterThan(30);
  });
});

describe("QED targets that qemu-img opens", () => {
  const written = GEOMETRIES.filter(
    ({ clusterSize, tableSize }) => clusterSize <= 64 * KiB || maxVirtualSize(clusterSize, tableSize * 2) >= 2 ** 64,
  );
  it.each(sampled(written, 3))(
    "cluster_size $clusterSize, table_size $tableSize",
    async ({ clusterSize, tableSize }) => {
      const path = pathOf("target.qed");
      const rawPath = pathOf("target.raw");
      const virtualSize = 12 * clusterSize - 512;
      const made = buildQedImage({
        clusterSize,
        tableSize: 2,
        virtualSize,
        data: [0, 7, 8, 11],
        zero: [9, 10],
        seed: 3,
        leaks: 2,
      });
      const source = await openWith(qedDriver, memoryStorage(made.bytes));
      const options = source.getConversionOptions();
      const draft = qedTarget.openConversionTarget(options, { table_size: tableSize }, new Set());
      const mapped = qedTarget.map(draft, await source.getMapping(), {
        oldFileSize: made.bytes.length,
        additiveStart: made.bytes.length,
      });
      const commit = qedTarget.copyHeader(mapped, options, made.bytes.slice(0, clusterSize), RangeSet.of());
      const switched = applyEpoch(made.bytes, {
        purpose: "switch",
        writes: () => [{ hostOffset: 0, bytes: commit.sector }, ...mapped.additiveWrites()],
        fileSize: mapped.fileSize,
      });
      writeFileSync(path, switched);
      writeFileSync(rawPath, made.guest);
      expect(run("qemu-img", "compare", "-f", "qed", "-F", "raw", path, rawPath)).toContain("Images are identical.");
      expect(qemuCheck(path).corruptions).toBe(0);

      const plan = await (await openWith(qedDriver, memoryStorage(switched))).planSettling?.();
      const settled = (plan?.epochs ?? []).reduce(applyEpoch, switched);
      writeFileSync(path, settled);
      expect(qemuCheck(path)).toMatchObject({ corruptions: 0, leaks: 0 });
      run("qemu-io", "-f", "qed", "-c", `write -P 9 ${clusterSize * 3} ${clusterSize * 5}`, path);
      expect(qemuCheck(path)).toMatchObject({ corruptions: 0, leaks: 0 });
    },
  );

  it("says where a backing name lies as qemu-img reads it", async () => {
    for (const length of [4, 448, 449, 1023]) {
      const name = "n".repeat(length);
      const made = buildQedImage({ virtualSize: MiB, backingName: name, backingIsRaw: length !== 4 });
      const source = await openWith(qedDriver, memoryStorage(made.bytes));
      const options = source.getConversionOptions();
      const draft = qedTarget.openConversionTarget(options, {}, new Set());
      const end = made.bytes.length;
      const mapped = qedTarget.map(draft, await source.getMapping(), { oldFileSize: end, additiveStart: end });
      // As from another format: the name is somewhere else, so that it must be stored.
      const old = new Uint8Array(4096);
      const commit = qedTarget.copyHeader(mapped, options, old, RangeSet.of({ start: 0, end: 112 }));
      const switched = applyEpoch(made.bytes, {
        purpose: "switch",
        writes: () => [{ hostOffset: 0, bytes: commit.sector }, ...commit.extras, ...mapped.additiveWrites()],
      });
      writeFileSync(pathOf("named.qed"), switched);
      const info = JSON.parse(run("qemu-img", "info", "-U", "-f", "qed", "--output=json", pathOf("named.qed")));
      expect(info["backing-filename"]).toBe(name);
      expect(info["backing-filename-format"]).toBe(length === 4 ? undefined : "raw");
    }
  });
});

describe("settling QED under qemu-img's eyes", () => {
  const cases: [string, QedImageDescription][] = [
    ["leaks among the data", { virtualSize: 8 * MiB, data: [3, 2, 1, 9, 700], zero: [4], leaks: 7, seed: 3 }],
    [
      "tables and data shuffled",
      { virtualSize: 8 * MiB, data: [0, 1, 2, 3, 1100, 1101], leaks: 9, seed: 8, shuffleTables: true },
    ],
    ["tables across the settled end", { virtualSize: 8 * MiB, data: [0, 1, 2, 1500], tables: "last", leaks: 4 }],
    ["leaks alone", { virtualSize: 8 * MiB, leaks: 9, seed: 1, shuffleTables: true, tail: 100 }],
    [
      "two header clusters, stale bytes",
      { virtualSize: MiB, data: [5, 6], leaks: 3, seed: 4, headerSize: 2, staleHeaderByte: 7 },
    ],
    [
      "64 KiB clusters",
      {
        clusterSize: 65536,
        tableSize: 4,
        virtualSize: 8 * MiB,
        data: [1, 2, 77],
        leaks: 5,
        seed: 6,
        shuffleTables: true,
      },
    ],
  ];
  it.each(cases)("%s", async (_what, description) => {
    const { bytes, guest } = buildQedImage(description);
    const path = pathOf("settling.qed");
    const rawPath = pathOf("settling.raw");
    writeFileSync(rawPath, guest);
    const plan = await (await openWith(qedDriver, memoryStorage(bytes))).planSettling?.();
    expect(plan?.epochs.length).toBeGreaterThan(0);
    let file = bytes;
    for (const epoch of plan?.epochs ?? []) {
      file = applyEpoch(file, epoch);
      writeFileSync(path, file);
      expect(qemuCheck(path).corruptions, epoch.purpose).toBe(0);
      expect(run("qemu-img", "compare", "-f", "qed", "-F", "raw", path, rawPath)).toContain("Images are identical.");
    }
    expect(qemuCheck(path).leaks).toBe(0);
    expect(file.length).toBe(plan?.fileSize);
    run("qemu-io", "-f", "qed", "-c", `write -P 1 0 ${MiB / 2}`, path);
    expect(qemuCheck(path)).toMatchObject({ corruptions: 0, leaks: 0 });
  });

  it("takes an image that qemu-io wrote and a tail of a lost cluster", async () => {
    const path = pathOf("tail.qed");
    run("qemu-img", "create", "-q", "-f", "qed", path, "1M");
    run("qemu-io", "-f", "qed", "-c", "write -P 5 0 200k", path);
    const before = await withImage(path, async (image) => image.fileSize);
    truncateSync(path, before + 70_000);
    const plan = await withImage(path, async (image) => image.planSettling?.());
    expect(plan).toMatchObject({ fileSize: before, epochs: [{ fileSize: before }] });
  });
});
