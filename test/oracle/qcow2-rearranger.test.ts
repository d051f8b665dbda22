/** qcow2 images of qemu-img's making, shuffled and compacted: clean, the same guest, and what else they have is as it was. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { KiB, MiB, type QemuImageDescription } from "../formats/matrix-image.ts";
import { bitmapsOf } from "../formats/qcow2/naive-bitmaps.ts";
import { tearEpoch } from "../support/apply-epoch.ts";
import { compactInMemory, type Play, shuffleInMemory } from "../support/compaction.ts";
import { makeQemuImage } from "../support/qemu-images.ts";
import { assertClean, assertSame, qemuIo, run } from "../support/qemu-tools.ts";
import { seededRandom } from "../support/random.ts";

const open = Qcow2Image.open;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qcow2-rearranger-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Shuffles and compacts the file; answers by how much it is shorter now. */
async function rearrange(path: string, seed: number, beforeEpoch?: Play["beforeEpoch"]): Promise<number> {
  const bytes = await readFile(path);
  const play: Play = { open, movesAtOnce: 4096, ...(beforeEpoch && { beforeEpoch }) };
  const shuffled = await shuffleInMemory(bytes, { ...play, movesAtOnce: 64 }, seededRandom(seed), 3);
  const compacted = await compactInMemory(shuffled.bytes, play);
  await writeFile(path, compacted.bytes);
  return bytes.length - compacted.bytes.length;
}

/** No place is left free: what `check` counts is all of the file. */
async function expectDense(path: string): Promise<void> {
  const bytes = await readFile(path);
  const rearranger = await (await open(memoryStorage(bytes))).openRearranger();
  expect(rearranger.used.markedCount * rearranger.unitSize).toBe(bytes.length);
}

const PLAIN: readonly (QemuImageDescription & { readonly isSparse?: boolean })[] = [
  ...[1, 2, 4, 8, 16, 32, 64].map((refcountBits, row) => ({
    name: `rc${refcountBits}`,
    format: "qcow2",
    virtualSize: [600 * KiB, 3 * MiB + 512, 9 * MiB][row % 3] as number,
    options: { refcount_bits: refcountBits, cluster_size: [512, 4 * KiB, 64 * KiB][row % 3] as number },
    contents: [(["half-discarded", "fragmented"] as const)[row % 2] as "fragmented"],
    seed: row,
  })),
  {
    name: "2M",
    format: "qcow2",
    virtualSize: 7 * MiB,
    options: { cluster_size: 2 * MiB },
    contents: ["half-discarded"],
  },
  { name: "v2", format: "qcow2", virtualSize: 5 * MiB, options: { compat: "0.10" }, contents: ["half-discarded"] },
  {
    // Refcount table and L1 of several clusters.
    name: "long-tables",
    format: "qcow2",
    virtualSize: 5 * MiB,
    options: { refcount_bits: 64, cluster_size: 512 },
    contents: ["half-discarded"],
  },
  { name: "zeroed", format: "qcow2", virtualSize: 6 * MiB, contents: ["zeroed", "sparse"] },
  {
    name: "extended",
    format: "qcow2",
    virtualSize: 8 * MiB,
    options: { extended_l2: "on" },
    contents: ["fragmented", "sparse"],
  },
  {
    name: "extended-16k",
    format: "qcow2",
    virtualSize: 4 * MiB,
    options: { extended_l2: "on", cluster_size: 16 * KiB },
    contents: ["sparse", "zeroed"],
  },
  {
    name: "preallocated",
    format: "qcow2",
    virtualSize: 3 * MiB,
    options: { preallocation: "metadata", cluster_size: 4 * KiB },
    contents: ["sparse"],
  },
  { name: "far", format: "qcow2", virtualSize: 2 ** 36, options: { cluster_size: 4 * KiB }, contents: ["far"] },
  { name: "backed", format: "qcow2", virtualSize: 4 * MiB, contents: ["fragmented"], backing: { format: "qcow2" } },
  { name: "zlib", format: "qcow2", virtualSize: 5 * MiB + 512, contents: ["compressed"] },
  {
    name: "zstd",
    format: "qcow2",
    virtualSize: 5 * MiB,
    options: { compression_type: "zstd" },
    contents: ["compressed"],
  },
  { name: "zlib-4k", format: "qcow2", virtualSize: 3 * MiB, options: { cluster_size: 4096 }, contents: ["compressed"] },
  {
    name: "zstd-512",
    format: "qcow2",
    virtualSize: MiB,
    options: { cluster_size: 512, compression_type: "zstd" },
    contents: ["compressed"],
  },
];

describe("a qcow2 of qemu-img's, shuffled and compacted", () => {
  for (const description of PLAIN) {
    it(`is clean and has the same guest: ${description.name}`, async () => {
      const { path, rawPath } = await makeQemuImage(folder, description);
      await rearrange(path, 1);
      await assertClean(path, "qcow2");
      await assertSame(path, "qcow2", rawPath);
      if (!description.contents.includes("compressed")) await expectDense(path);
    });
  }

  it.each(["4k", "64k", "512"])("keeps its snapshots: %s", async (clusterSize) => {
    const path = join(folder, `snapshots-${clusterSize}.qcow2`);
    await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", `cluster_size=${clusterSize}`, path, "2M"]);
    const copies: string[] = [];
    for (const turn of [0, 1, 2, 3]) {
      await qemuIo(path, "qcow2", [
        `write -P ${turn + 1} ${turn * 300 * KiB} 700k`,
        `write -z ${turn * 100 * KiB} 40k`,
        `discard ${turn * 256 * KiB} 64k`,
      ]);
      await run("qemu-img", ["snapshot", "-c", `s${turn}`, path]);
      copies.push(`${path}.${turn}`);
      await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, `${path}.${turn}`]);
    }
    await qemuIo(path, "qcow2", ["write -P 99 0 1M"]);
    await run("qemu-img", ["snapshot", "-d", "s1", path]);
    await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, `${path}.now`]);
    expect(await rearrange(path, 2)).toBeGreaterThan(0);
    await expectDense(path);
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", `${path}.now`);
    for (const turn of [0, 2, 3]) {
      await run("qemu-img", ["snapshot", "-a", `s${turn}`, path]);
      await assertSame(path, "qcow2", copies[turn] as string);
      await qemuIo(path, "qcow2", ["write -P 77 100k 1M"]);
      await assertClean(path, "qcow2");
    }
  });

  it.each(["zlib", "zstd"])("keeps snapshots of compressed clusters, and holes between them: %s", async (method) => {
    const description = {
      name: `mixed-${method}`,
      format: "qcow2",
      virtualSize: 3 * MiB,
      contents: ["compressed"],
    } as const;
    const options = { compression_type: method, cluster_size: 16 * KiB };
    const { path, rawPath } = await makeQemuImage(folder, { ...description, options });
    await run("qemu-img", ["snapshot", "-c", "before", path]);
    await qemuIo(path, "qcow2", ["write -P 3 100k 500k", "write -P 4 2M 300k", "discard 1M 512k"]);
    await run("qemu-img", ["snapshot", "-c", "between", path]);
    await qemuIo(path, "qcow2", ["write -P 5 500k 1M"]);
    await run("qemu-img", ["snapshot", "-d", "between", path]);
    await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, `${path}.now`]);
    await rearrange(path, 3);
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", `${path}.now`);
    await run("qemu-img", ["snapshot", "-a", "before", path]);
    await assertSame(path, "qcow2", rawPath);
    await assertClean(path, "qcow2");
  });

  it("keeps its bitmaps", async () => {
    const path = join(folder, "bitmaps.qcow2");
    await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=512", path, "136M"]);
    await qemuIo(path, "qcow2", ["write -P 1 0 300k"]);
    await run("qemu-img", ["bitmap", "--add", "-g", "512", path, "fine"]);
    await run("qemu-img", ["bitmap", "--add", "-g", "64k", path, "coarse"]);
    await qemuIo(path, "qcow2", ["write -P 2 1M 5k", "write -P 3 7M 70k", "write -P 4 3M 1M", "discard 0 100k"]);
    await run("qemu-img", ["bitmap", "--disable", path, "coarse"]);
    await qemuIo(path, "qcow2", ["write -P 5 5M 5k", "write -P 3 100k 7k"]);
    await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, `${path}.raw`]);
    const before = bitmapsOf(await readFile(path));
    expect(before.map(({ name }) => name)).toEqual(["fine", "coarse"]);
    expect(before.every(({ bits }) => bits.some((byte) => byte !== 0))).toBe(true);
    await rearrange(path, 4);
    await expectDense(path);
    expect(bitmapsOf(await readFile(path))).toEqual(before);
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", `${path}.raw`);
    await run("qemu-img", ["bitmap", "--merge", "fine", path, "coarse"]);
    await assertClean(path, "qcow2");
  });

  it("gives up what is left of bitmaps that another program made invalid", async () => {
    const path = join(folder, "invalid.qcow2");
    await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", path, "1M"]);
    await run("qemu-img", ["bitmap", "--add", path, "old"]);
    await qemuIo(path, "qcow2", ["write -P 1 0 300k"]);
    await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, `${path}.raw`]);
    const bytes = await readFile(path);
    bytes.writeBigUInt64BE(0n, 88);
    await writeFile(path, bytes);
    expect(await rearrange(path, 8)).toBeGreaterThan(0);
    await expectDense(path);
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", `${path}.raw`);
    await qemuIo(path, "qcow2", ["write -P 2 100k 300k"]);
    await assertClean(path, "qcow2");
  });

  it("is by qemu-img's word no worse than leaking after an epoch that was torn", async () => {
    const { path, rawPath } = await makeQemuImage(folder, {
      name: "torn",
      format: "qcow2",
      virtualSize: 400 * KiB,
      options: { cluster_size: 512 },
      contents: ["half-discarded"],
    });
    const random = seededRandom(5);
    const torn = join(folder, "torn.state");
    let looked = 0;
    await rearrange(path, 6, async (file, epoch) => {
      await writeFile(torn, tearEpoch(file, epoch, random));
      looked++;
      const { corruptions = 0, "check-errors": errors } = await checked(torn);
      expect({ corruptions, errors }, epoch.purpose).toEqual({ corruptions: 0, errors: 0 });
      await assertSame(torn, "qcow2", rawPath);
    });
    expect(looked).toBeGreaterThan(8);
  });

  it("reads the same where AES encrypts it", async () => {
    const path = join(folder, "aes.qcow2");
    const secret = ["--object", "secret,id=s,data=abc"];
    const opts = `driver=qcow2,file.filename=${path},encrypt.key-secret=s`;
    const create = ["-o", "encrypt.format=aes,encrypt.key-secret=s,cluster_size=4k", path, "1M"];
    await run("qemu-img", ["create", "-q", ...secret, "-f", "qcow2", ...create]);
    const io = (...words: string[]) =>
      run("qemu-io", [...secret, "--image-opts", opts, ...words.flatMap((word) => ["-c", word])]);
    await io("write -P 1 0 300k", "write -P 2 500k 100k", "discard 0 64k");
    await rearrange(path, 7);
    expect(await run("qemu-img", ["check", ...secret, "--image-opts", opts])).toContain("No errors were found");
    const said = await io("read -P 1 64k 236k", "read -P 2 500k 100k");
    expect(said).not.toContain("verification failed");
  });
});

/** What qemu-img's check counts; it exits with an error where there is anything. */
async function checked(path: string): Promise<Readonly<Record<string, number>>> {
  return JSON.parse(await run("sh", ["-c", `qemu-img check -f qcow2 --output=json "$0"; true`, path]));
}
