/** checksum, compare, info and map against qemu-img and sha256sum, on images that qemu-img and qemu-io made. */

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { type MapEntry, map, mapText } from "../../src/convert/reading/map.ts";
import { openImage } from "../../src/formats/registry.ts";
import { digestGuest } from "../../src/image/guest/digest.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { FileVolume } from "../../src/storage/file/file-volume.ts";
import { referenceBlkhash } from "../support/guest-layer.ts";
import { sampled } from "../support/oracle-sample.ts";
import { infoAsQemu, infoTextAsQemu, mapAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

interface Sample {
  readonly name: string;
  readonly format: string;
  readonly size: string;
  readonly options?: string;
  /** Commands of qemu-io. */
  readonly writes?: readonly string[];
  /** `qemu-img convert -c` of what was written. */
  readonly isCompressed?: boolean;
}

/** Data in several places and orders, zeros over data, zeros over nothing, discards. */
const MIXED = [
  "write -P 1 5M 64k",
  "write -P 2 1M 200k",
  "write -P 3 512 1k",
  "write -P 4 3M 1M",
  "write -z 3200k 128k",
  "write -z 7M 300k",
  "discard 1M 64k",
  "write -P 5 7100k 3k",
];
const FULL = ["write -P 7 0 8M", "write -P 8 4M 1M"];
const FRAGMENTED = Array.from({ length: 24 }, (_, index) => `write -P ${index + 1} ${((index * 7) % 24) * 320}k 64k`);

const samples: readonly Sample[] = [
  ...[512, 4096, 65536, 2097152].flatMap((clusterSize) => [
    {
      name: `mixed-${clusterSize}`,
      format: "qcow2",
      size: "8M",
      options: `cluster_size=${clusterSize}`,
      writes: MIXED,
    },
    { name: `full-${clusterSize}`, format: "qcow2", size: "8M", options: `cluster_size=${clusterSize}`, writes: FULL },
  ]),
  { name: "v2", format: "qcow2", size: "8M", options: "compat=0.10", writes: MIXED },
  { name: "fragmented", format: "qcow2", size: "8M", writes: FRAGMENTED },
  { name: "empty", format: "qcow2", size: "1T" },
  { name: "odd-size", format: "qcow2", size: "7500288", writes: ["write -P 9 7270k 54k", "write -P 6 0 1M"] },
  { name: "extended-l2", format: "qcow2", size: "8M", options: "extended_l2=on,cluster_size=64k", writes: MIXED },
  { name: "lazy", format: "qcow2", size: "8M", options: "lazy_refcounts=on,refcount_bits=64", writes: MIXED },
  { name: "deflated", format: "qcow2", size: "8M", writes: MIXED, isCompressed: true },
  { name: "deflated-2M", format: "qcow2", size: "8M", options: "cluster_size=2M", writes: MIXED, isCompressed: true },
  {
    name: "deflated-odd",
    format: "qcow2",
    size: "7500288",
    writes: FULL.map((w) => w.replace("8M", "7M")),
    isCompressed: true,
  },
  { name: "zstd", format: "qcow2", size: "8M", options: "compression_type=zstd", writes: MIXED, isCompressed: true },
  ...[4096, 65536, 1048576].map((clusterSize) => {
    return {
      name: `qed-${clusterSize}`,
      format: "qed",
      size: "8M",
      options: `cluster_size=${clusterSize}`,
      writes: MIXED,
    };
  }),
  { name: "qed-fragmented", format: "qed", size: "8M", options: "table_size=2", writes: FRAGMENTED },
  { name: "qed-odd-size", format: "qed", size: "7500288", writes: ["write -P 9 7270k 54k", "write -P 6 0 1M"] },
];

let folder: string;
const volume = new FileVolume();
const at = (name: string): string => join(folder, name);
const run = (tool: string, ...parameters: string[]): string =>
  execFileSync(tool, parameters, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
const json = (...parameters: string[]): unknown => JSON.parse(run("qemu-img", ...parameters));

function make({ name, format, size, options, writes = [], isCompressed }: Sample): void {
  const create = options === undefined ? [] : ["-o", options];
  run("qemu-img", "create", "-q", "-f", format, ...create, name, size);
  if (writes.length > 0) run("qemu-io", "-f", format, ...writes.flatMap((write) => ["-c", write]), name);
  if (!isCompressed) return;
  run("qemu-img", "convert", "-c", "-f", format, "-O", format, ...create, name, `${name}.tmp`);
  run("mv", `${name}.tmp`, name);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "guest-view-oracle-"));
  for (const sample of samples) make(sample);
  run("qemu-img", "create", "-q", "-f", "qcow2", "-b", "mixed-4096", "-F", "qcow2", "overlay", "9M");
  run("qemu-io", "-f", "qcow2", "-c", "write -P 11 2M 700k", "-c", "write -z 5M 64k", "overlay");
  run("qemu-img", "create", "-q", "-f", "qcow2", "-b", "overlay", "-F", "qcow2", "overlay-2", "6M");
  run("qemu-io", "-f", "qcow2", "-c", "write -P 12 2500k 64k", "overlay-2");
  run("qemu-img", "create", "-q", "-f", "qcow2", "-b", "deflated", "-F", "qcow2", "-o", "cluster_size=4k", "overlay-3");
  run("qemu-io", "-f", "qcow2", "-c", "write -P 13 3080k 8k", "-c", "write -P 14 5120k 4k", "overlay-3");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** qemu-img tells the place of subclusters that are not allocated in a cluster that is; nobody can read anything there. */
function withoutPlacesOfNothing(entries: readonly Partial<MapEntry>[]): Partial<MapEntry>[] {
  const merged: Partial<MapEntry>[] = [];
  for (const { offset, ...rest } of entries) {
    const last = merged.at(-1);
    if (rest.present) merged.push(offset === undefined ? rest : { ...rest, offset });
    else if (last === undefined || last.present) merged.push(rest);
    else merged[merged.length - 1] = { ...last, length: Number(last.length) + Number(rest.length) };
  }
  return merged;
}

describe.each(sampled(samples, 3).map(({ name, size }) => [name, size] as const))("%s", (name, size) => {
  test("map", async () => {
    const report = await map(at(name));
    const text = mapText(report);
    const theirs = json("map", "--output=json", name) as Partial<MapEntry>[];
    expect(mapAsQemu(report.entries)).toEqual(withoutPlacesOfNothing(theirs));
    // An older one has no word for it, but the same sign.
    for (const { compressed, data, offset } of report.entries) expect(compressed).toBe(data && offset === undefined);
    // qemu-img gives up on compressed clusters in its text.
    if (!text.includes("compressed")) expect(`${text}\n`).toBe(run("qemu-img", "map", at(name)));
  });

  test("info", async () => {
    const found = await info(at(name));
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at(name))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at(name))));
  });

  // A terabyte is too much to write down.
  if (size === "1T") return;

  test("checksum and compare", async () => {
    run("qemu-img", "convert", "-O", "raw", name, `${name}.raw`);
    const raw = readFileSync(at(`${name}.raw`));
    const { checksum: sha256 } = await checksum(at(name), { algorithm: "sha256" });
    expect(run("sha256sum", `${name}.raw`)).toBe(`${sha256}  ${name}.raw\n`);
    expect((await checksum(at(name))).checksum).toBe(referenceBlkhash(raw));
    expect(await compare(at(name), at(`${name}.raw`), { formatB: "raw" })).toMatchObject({
      identical: true,
      message: "Images are identical.",
    });
    // Threads, each with its own way to read and to inflate.
    const storage = await volume.openForReading(at(name));
    const view = await openGuestView([await openImage(storage)]);
    expect(await digestGuest(view, "blkhash-sha256", { workerCount: 2 })).toBe(referenceBlkhash(raw));
    const into = Buffer.alloc(raw.length);
    await new GuestReader(view).read(0, into);
    expect(into.equals(raw)).toBe(true);
    await storage.close();
    rmSync(at(`${name}.raw`));
  });
});

describe.each(["overlay", "overlay-2", "overlay-3"])("%s over its backing files", (name) => {
  test("map, info, checksum", async () => {
    const { entries } = await map(at(name), { backingChain: true });
    expect(mapAsQemu(entries)).toEqual(json("map", "--output=json", name));
    const found = await info(at(name));
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at(name))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at(name))));

    run("qemu-img", "convert", "-O", "raw", name, `${name}.raw`);
    const raw = readFileSync(at(`${name}.raw`));
    const { checksum: sha256 } = await checksum(at(name), { algorithm: "sha256", backingChain: true });
    expect(sha256).toBe(createHash("sha256").update(raw).digest("hex"));
    expect((await checksum(at(name), { backingChain: true })).checksum).toBe(referenceBlkhash(raw));
    await expect(checksum(at(name))).rejects.toMatchObject({ kind: "unsupported" });
  });
});

describe("info", () => {
  test.each(["mixed-4096", "v2"])("of snapshots in %s", async (name) => {
    writeFileSync(at(`${name}-kept`), readFileSync(at(name)));
    run("qemu-img", "snapshot", "-c", "one", at(`${name}-kept`));
    run("qemu-img", "snapshot", "-c", "a name that is longer than its column", at(`${name}-kept`));
    const bytes = readFileSync(at(`${name}-kept`));
    // The machine's memory, how long it had run, and no count of its instructions.
    const table = Number(bytes.readBigUInt64BE(64));
    const extraLength = bytes.readUInt32BE(table + 36);
    bytes.writeBigUInt64BE((12_345n * 3600n + 61n * 60n + 7n) * 1_000_000_000n + 89_000_005n, table + 24);
    bytes.writeUInt32BE(1_000_000, table + 32);
    if (extraLength >= 8) bytes.writeBigUInt64BE(123_456_789_012n, table + 40);
    if (extraLength >= 24) bytes.writeBigInt64BE(-1n, table + 56);
    writeFileSync(at(`${name}-kept`), bytes);
    const found = await info(at(`${name}-kept`));
    expect(found.snapshots).toHaveLength(2);
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at(`${name}-kept`))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at(`${name}-kept`))));
  });

  test.each([
    ["dirty", 1],
    ["corrupt", 2],
  ])("of a %s qcow2", async (name, mark) => {
    const bytes = readFileSync(at("mixed-65536"));
    bytes[79] = mark;
    writeFileSync(at(name), bytes);
    expect(infoAsQemu(await info(at(name)))).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at(name))));
    expect(infoTextAsQemu(await info(at(name)))).toBe(qemuInfoText(run("qemu-img", "info", at(name))));
  });

  test.each([
    "base.raw",
    "layers/base.raw",
    "/srv/base.raw",
    "nbd://localhost/disk",
    'json:{"driver":"raw","file":{"driver":"file","filename":"x"}}',
  ])("of a backing file named %s, which nobody opens", async (backingName) => {
    mkdirSync(at("vm"), { recursive: true });
    run("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", backingName, "-F", "raw", "vm/disk", "1M");
    for (const path of ["vm/disk", at("vm/disk")]) {
      const mine = await inFolder(() => info(path));
      expect(infoAsQemu(mine)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", path)));
      expect(infoTextAsQemu(mine)).toBe(qemuInfoText(run("qemu-img", "info", path)));
    }
  });

  test("of a QED with a raw backing file", async () => {
    writeFileSync(at("base.raw"), Buffer.alloc(65536, 1));
    run("qemu-img", "create", "-q", "-f", "qed", "-b", "base.raw", "-F", "raw", "qed-overlay");
    expect(infoAsQemu(await info(at("qed-overlay")))).toEqual(
      qemuInfo(run("qemu-img", "info", "--output=json", at("qed-overlay"))),
    );
  });

  test("of a raw file", async () => {
    writeFileSync(at("disk.raw"), Buffer.alloc(1_048_576, 1));
    const found = await info(at("disk.raw"), { format: "raw" });
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "-f", "raw", "--output=json", at("disk.raw"))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", "-f", "raw", at("disk.raw"))));
  });

  // QEMU counts a file in whole sectors.
  test("of a file that ends inside a sector", async () => {
    const bytes = readFileSync(at("mixed-65536"));
    writeFileSync(at("cut-short"), bytes.subarray(0, bytes.length - 65_537));
    expect(infoAsQemu(await info(at("cut-short")))).toEqual(
      qemuInfo(run("qemu-img", "info", "--output=json", at("cut-short"))),
    );
    expect(infoTextAsQemu(await info(at("cut-short")))).toBe(qemuInfoText(run("qemu-img", "info", at("cut-short"))));
  });
});

/** Vitest's workers can't change their folder, so relative paths are taken from where they are. */
async function inFolder<T>(perform: () => Promise<T>): Promise<T> {
  const old = process.cwd();
  process.chdir(folder);
  try {
    return await perform();
  } finally {
    process.chdir(old);
  }
}

describe("compare says what qemu-img says of", () => {
  const MiB = 1_048_576;
  const plain = (size: number, ...marks: readonly [number, number][]): Buffer => {
    const bytes = Buffer.alloc(size, 1);
    for (const [offset, byte] of marks) bytes[offset] = byte;
    return bytes;
  };
  const longer = (tail: Buffer): Buffer => Buffer.concat([plain(2 * MiB), tail]);

  test.each([
    ["the same", plain(2 * MiB), plain(2 * MiB)],
    ["one byte", plain(2 * MiB), plain(2 * MiB, [70_001, 2])],
    ["the first byte", plain(2 * MiB), plain(2 * MiB, [0, 2])],
    ["the last byte", plain(2 * MiB), plain(2 * MiB, [2 * MiB - 1, 2])],
    ["two bytes", plain(2 * MiB), plain(2 * MiB, [1_500_000, 2], [MiB + 3, 2])],
    ["a zero tail", plain(2 * MiB), longer(Buffer.alloc(MiB))],
    [
      "a tail with data",
      plain(2 * MiB),
      longer(Buffer.concat([Buffer.alloc(70_000), Buffer.from("x"), Buffer.alloc(441)])),
    ],
    ["a difference before the end of the shorter", plain(2 * MiB, [1000, 2]), longer(Buffer.alloc(MiB, 1))],
    ["data against zeros", plain(MiB), Buffer.alloc(MiB)],
  ])("%s", async (_name, a, b) => {
    writeFileSync(at("a"), a);
    writeFileSync(at("b"), b);
    for (const [first, second] of [["a", "b"] as const, ["b", "a"] as const]) {
      const raw = { formatA: "raw", formatB: "raw" };
      const { status, stdout } = spawnSync("qemu-img", ["compare", "-f", "raw", "-F", "raw", at(first), at(second)], {
        encoding: "utf8",
      });
      const mine = await compare(at(first), at(second), raw);
      expect(`${mine.message}\n`).toBe(stdout);
      expect(mine.identical ? 0 : 1).toBe(status);
    }
  });
});

test("a file that ends inside its last cluster reads as zeros there", async () => {
  run("qemu-img", "create", "-q", "-f", "qcow2", "cut", "1M");
  run("qemu-io", "-f", "qcow2", "-c", "write -P 5 0 128k", "cut");
  truncateSync(at("cut"), 5 * 65536 + 65536 + 1024);
  run("qemu-img", "convert", "-O", "raw", "cut", "cut.raw");
  expect((await checksum(at("cut"))).checksum).toBe(referenceBlkhash(readFileSync(at("cut.raw"))));
  expect((await compare(at("cut"), at("cut.raw"), { formatB: "raw" })).identical).toBe(true);
});
