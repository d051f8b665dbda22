/** Images whose clusters we compressed in place, judged by qemu-img, and beside what `qemu-img convert -c` makes. */

import { copyFile, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { assertClean, assertSame, fileDigest, info, qemuIo, run } from "../support/qemu-tools.ts";
import { seededRandom } from "../support/random.ts";

const MiB = 2 ** 20;
const DISK = 16 * MiB;

let folder = "";
let raw = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "compress-"));
  raw = join(folder, "disk.raw");
  await writeFile(raw, await realisticDisk());
});
afterAll(() => rm(folder, { recursive: true }));

/** A program's code, texts, noise, and holes between. */
async function realisticDisk(): Promise<Buffer> {
  const disk = Buffer.alloc(DISK);
  const program = await open(process.execPath);
  await program.read(disk, MiB, 8 * MiB, 20 * MiB);
  await program.close();
  const sources = fileURLToPath(new URL("../../src/", import.meta.url));
  let at = 10 * MiB;
  for (const name of (await readdir(sources, { recursive: true })).sort()) {
    if (!name.endsWith(".ts") || at > 12 * MiB) continue;
    const text = await readFile(join(sources, name));
    text.copy(disk, at);
    at += text.length;
  }
  const random = seededRandom(5);
  for (let word = 14 * MiB; word < 15 * MiB; word += 4) disk.writeUInt32LE(random.below(2 ** 32), word);
  return disk;
}

async function make(name: string, options: string, ...words: string[]): Promise<string> {
  const path = join(folder, name);
  await run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", ...words, "-o", options, raw, path]);
  return path;
}

/** As qemu-img writes it into an image that is there, every cluster of it or parts of some. */
async function makeWithSubclusters(): Promise<string> {
  const path = join(folder, "subclusters.qcow2");
  await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "extended_l2=on,cluster_size=16k", path, String(DISK)]);
  await run("qemu-img", ["convert", "-n", "-f", "raw", "-O", "qcow2", raw, path]);
  await qemuIo(path, "qcow2", ["write -P 3 1000k 2k", "write -z 2000k 3k", "write -P 4 15000k 1k"]);
  return path;
}

async function compressedCount(path: string): Promise<number> {
  return JSON.parse(await run("qemu-img", ["check", "--output=json", path]))["compressed-clusters"] ?? 0;
}

test("a qcow2 with subclusters is compressed as far as its clusters are whole", async () => {
  const path = await makeWithSubclusters();
  const seen = join(folder, "subclusters.raw");
  await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, seen]);
  const before = await stat(path);
  await convert(path, "qcow2", { compress: true });
  await assertClean(path, "qcow2");
  await assertSame(path, "qcow2", seen);
  expect(await compressedCount(path)).toBeGreaterThan(400);
  expect((await stat(path)).size).toBeLessThan(0.7 * before.size);
  await qemuIo(path, "qcow2", [`write -P 7 ${MiB} ${3 * MiB}`]);
  await assertClean(path, "qcow2");
});

describe("a qcow2 compressed in place", () => {
  test.each([
    [4096, "zlib"],
    [65_536, "zlib"],
    [2 * MiB, "zlib"],
    [65_536, "zstd"],
    [2 * MiB, "zstd"],
  ] as const)(
    "clusters of %i bytes by %s: clean, the same guest, hardly longer than qemu-img's",
    async (size, type) => {
      const options = `cluster_size=${size},compression_type=${type}`;
      const path = await make(`plain-${size}-${type}.qcow2`, options);
      const theirs = await make(`theirs-${size}-${type}.qcow2`, options, "-c");
      const { changed, fileSizeAfter } = await convert(path, "qcow2", { compress: true });
      expect(changed).toBe(true);
      await assertClean(path, "qcow2");
      await assertSame(path, "qcow2", raw);
      expect(await compressedCount(path)).toBeGreaterThanOrEqual(0.95 * (await compressedCount(theirs)));
      expect(fileSizeAfter).toBeLessThanOrEqual(1.03 * (await stat(theirs)).size + 2 * size);
      const before = await fileDigest(path);
      expect(await convert(path, "qcow2", { compress: true })).toMatchObject({ changed: false, bytesWritten: 0 });
      expect(await fileDigest(path)).toBe(before);
      // QEMU takes it up: it writes over compressed clusters and finds the counts right.
      await qemuIo(path, "qcow2", [`write -P 7 ${MiB} ${3 * MiB}`]);
      await assertClean(path, "qcow2");
    },
  );

  test("a raw by way of qcow2, and a plain zlib to zstd by a header of its own", async () => {
    const path = join(folder, "from-raw.img");
    await copyFile(raw, path);
    await convert(path, "qcow2", { format: "raw", compress: true });
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", raw);
    expect((await stat(path)).size).toBeLessThan(DISK / 2);

    const zstd = await make("to-zstd.qcow2", "compression_type=zlib");
    const { notes } = await convert(zstd, "qcow2", { compress: true, options: { compression_type: "zstd" } });
    expect(notes).toContainEqual(expect.stringContaining("QEMU 5.1"));
    expect((await info(zstd))["format-specific"]?.data["compression-type"]).toBe("zstd");
    await assertClean(zstd, "qcow2");
    await assertSame(zstd, "qcow2", raw);
    const again = convert(zstd, "qcow2", { compress: true, options: { compression_type: "zlib" } });
    await expect(again).rejects.toMatchObject({ kind: "unsupported", message: expect.stringContaining("zstd's") });
    await assertSame(zstd, "qcow2", raw);
  });

  test("snapshots and bitmaps survive: what a snapshot shares stays plain", async () => {
    const path = await make("snapshot.qcow2", "cluster_size=16k");
    await run("qemu-img", ["bitmap", "--add", path, "changes"]);
    await run("qemu-img", ["snapshot", "-c", "before", path]);
    await qemuIo(path, "qcow2", [`write -P 9 ${2 * MiB} ${3 * MiB}`, `write -z ${9 * MiB} ${MiB}`]);
    const now = join(folder, "now.raw");
    await run("qemu-img", ["convert", "-O", "raw", path, now]);
    await convert(path, "qcow2", { compress: true });
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", now);
    // The three MiB written since, and a stretch that was empty before.
    expect(await compressedCount(path)).toBeGreaterThanOrEqual((3 * MiB) / 16_384);
    expect(JSON.stringify(await info(path))).toContain(`"name":"changes"`);
    await run("qemu-img", ["bitmap", "--remove", path, "changes"]);
    await run("qemu-img", ["snapshot", "-a", "before", path]);
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", raw);
  });
});
