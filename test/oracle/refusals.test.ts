/** What must not be converted: refused with all reasons, the file untouched byte for byte, nothing left beside it. */

import { spawn } from "node:child_process";
import { link, mkdtemp, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { qcow2Places } from "../formats/qcow2/places.ts";
import { qedPlaces } from "../formats/qed/places.ts";
import { type PatchedImage, patch } from "../support/patched-image.ts";
import { assertClean, assertSame, fileDigest, qemuIo, run } from "../support/qemu-tools.ts";

const MiB = 1024 * 1024;
const CLUSTER = 65_536;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-refusals-"));
});
afterEach(() => rm(folder, { recursive: true }));

const place = (name: string): string => join(folder, name);

/** A small image with data in its first clusters, made by `qemu-img create` with `words` more. */
async function make(name: string, words: readonly string[] = [], size = "4M"): Promise<string> {
  const format = extname(name).slice(1);
  await run("qemu-img", ["create", "-q", "-f", format, ...words, name, size], folder);
  return place(name);
}

async function makeWithData(name: string, words: readonly string[] = [], size = "4M"): Promise<string> {
  const path = await make(name, words, size);
  await qemuIo(path, extname(name).slice(1), ["write -P 7 0 192k", "write -P 9 1M 64k"]);
  return path;
}

/** The refusal of `convert`, having proven that the image, and all that lies beside it, is as before. */
async function refusalOf(path: string, format: string, options: ConvertOptions = {}): Promise<ImageError> {
  const look = async () => [await fileDigest(path), (await stat(path)).mtimeMs, (await readdir(folder)).sort()];
  const before = await look();
  const error = await convert(path, format, options).catch((reason: unknown) => reason);
  expect(await look()).toEqual(before);
  expect(error).toBeInstanceOf(ImageError);
  const refusal = error as ImageError;
  expect(refusal.journal).toBeUndefined();
  expect(refusal.rolledBack).toBe(false);
  expect(refusal.message).toMatch(/^Cannot .*[^.]$/s);
  return refusal;
}

describe("what QED can't hold", () => {
  it("snapshots", async () => {
    const path = await makeWithData("a.qcow2");
    await run("qemu-img", ["snapshot", "-c", "one", path]);
    const { reasons } = await refusalOf(path, "qed");
    expect(reasons).toEqual([expect.stringMatching(/snapshot/)]);
  });

  it("bitmaps, unless they are dropped by name", async () => {
    const path = await makeWithData("a.qcow2");
    await run("qemu-img", ["bitmap", "--add", path, "changed"]);
    await run("qemu-img", ["bitmap", "--add", path, "other"]);
    await run("qemu-img", ["convert", "-O", "raw", path, place("copy.raw")]);
    const { reasons } = await refusalOf(path, "qed");
    expect(reasons).toEqual([expect.stringMatching(/bitmaps changed, other/)]);
    const { dropped } = await convert(path, "qed", { drop: ["bitmaps"] });
    expect(dropped).toEqual(["bitmap changed", "bitmap other"]);
    await assertClean(path, "qed");
    await assertSame(path, "qed", place("copy.raw"));
  });

  it.each(["luks", "aes"])("%s encryption", async (method) => {
    const secret = ["--object", "secret,id=key,data=geheim"];
    const time = method === "luks" ? ",encrypt.iter-time=10" : "";
    const words = [...secret, "-o", `encrypt.format=${method},encrypt.key-secret=key${time}`];
    // qemu-img measures its own CPU time to choose how often to hash, and gives up where the clock moves too little.
    let path: string | undefined;
    for (let attempt = 0; path === undefined; attempt++) {
      path = await make("a.qcow2", words).catch((error: Error) => {
        if (attempt >= 30 || !error.message.includes("accurate CPU usage")) throw error;
        return undefined;
      });
    }
    const { reasons } = await refusalOf(path, "qed");
    expect(reasons).toEqual([expect.stringMatching(new RegExp(`${method} encryption`))]);
  });

  it("an external data file", async () => {
    const path = await make("a.qcow2", ["-o", `data_file=${place("data.raw")}`]);
    const { message } = await refusalOf(path, "qed");
    expect(message).toMatch(/data file|another file/);
  });

  it("a backing format other than raw", async () => {
    await make("base.qcow2");
    const path = await makeWithData("a.qcow2", ["-b", "base.qcow2", "-F", "qcow2"]);
    const { reasons } = await refusalOf(path, "qed");
    expect(reasons).toEqual([expect.stringMatching(/backing format qcow2/)]);
  });

  it("partly allocated subclusters over a backing file", async () => {
    await run("qemu-img", ["create", "-q", "-f", "raw", place("base.raw"), "4M"]);
    const path = await make("a.qcow2", ["-b", "base.raw", "-F", "raw", "-o", "extended_l2=on"]);
    await qemuIo(path, "qcow2", ["write -P 7 4k 4k"]);
    const { message } = await refusalOf(path, "qed");
    expect(message).toMatch(/stored in part.*backing file.*--backing-chain/);
    const same = await refusalOf(path, "qcow2", { options: { extended_l2: "off" } });
    expect(same.message).toMatch(/stored in part.*backing file.*--backing-chain/);
  });

  it("extended L2 entries that would have to be written", async () => {
    const path = await makeWithData("a.qcow2");
    const { reasons } = await refusalOf(path, "qcow2", { options: { extended_l2: "on" } });
    expect(reasons).toEqual([expect.stringMatching(/read, not written; use extended_l2=off/)]);
  });

  it("a disk beyond the tables asked for", async () => {
    const path = await make("a.qcow2", [], "8G");
    const { reasons } = await refusalOf(path, "qed", { options: { cluster_size: "4k", table_size: "2" } });
    expect(reasons).toEqual([expect.stringMatching(/8589934592.*4294967296/)]);
  });

  it("several things: all are said at once, by plan too", async () => {
    const path = await makeWithData("a.qcow2");
    await run("qemu-img", ["snapshot", "-c", "one", path]);
    await run("qemu-img", ["bitmap", "--add", path, "changed"]);
    const { reasons } = await refusalOf(path, "qed");
    expect(reasons).toEqual([expect.stringMatching(/snapshot/), expect.stringMatching(/bitmap/)]);
    const { report } = await plan(path, "qed");
    expect(report.refused).toEqual(reasons);
  });
});

describe("sources that are no longer, or not yet, clean", () => {
  it("a QED that needs a check", async () => {
    const path = await makeWithData("a.qed");
    await patch(path, "qed", (image) => image.write(16, 2, 1));
    expect((await refusalOf(path, "qcow2")).message).toMatch(/repair|check/);
    await run("qemu-img", ["check", "-q", "-r", "all", path]);
    expect((await convert(path, "qcow2")).changed).toBe(true);
  });

  it.each([
    ["dirty", 1],
    ["corrupt", 2],
  ])("a qcow2 marked %s", async (mark, bit) => {
    const path = await makeWithData("a.qcow2");
    await patch(path, "qcow2", (image) => image.write(79, bit, 1));
    expect((await refusalOf(path, "qed")).message).toMatch(mark);
  });
});

describe("corrupt QED", () => {
  const cases: [what: string, change: (image: PatchedImage) => void][] = [
    ["cluster size 3", (image) => image.write(4, 3, 4)],
    ["table size 3", (image) => image.write(8, 3, 4)],
    ["header of no clusters", (image) => image.write(12, 0, 4)],
    ["an unknown feature", (image) => image.write(16, 64, 1)],
    ["L1 past the end", (image) => image.write(40, image.length + CLUSTER)],
    ["L1 unaligned", (image) => image.write(40, image.read(40) + 512)],
    ["a size beyond the tables", (image) => image.write(48, 2n ** 60n)],
    ["a size that is no multiple of 512", (image) => image.write(48, 4 * MiB + 100)],
    ["L2 past the end", (image) => image.write(qedPlaces.l1(image), image.length * 2)],
    ["L2 unaligned", (image) => image.write(qedPlaces.l1(image), qedPlaces.l2(image) + 8)],
    ["L2 on the header", (image) => image.write(qedPlaces.l1(image) + 8, CLUSTER)],
    ["data past the end", (image) => image.write(qedPlaces.l2(image), image.length)],
    ["data on a table", (image) => image.write(qedPlaces.l2(image), qedPlaces.l1(image))],
    ["data used twice", (image) => image.write(qedPlaces.l2(image) + 8, image.read(qedPlaces.l2(image)))],
    ["a file cut inside its tables", (image) => image.resize(3 * CLUSTER)],
  ];
  it.each(cases)("%s", async (_what, change) => {
    const path = await makeWithData("a.qed");
    await patch(path, "qed", change);
    expect(["corrupt", "unsupported", "out-of-bounds"]).toContain((await refusalOf(path, "qcow2")).kind);
  });
});

describe("corrupt qcow2", () => {
  const FLAG = 2n ** 63n;
  const entry = (hostOffset: number): bigint => FLAG + BigInt(hostOffset);
  const dataOf = (image: PatchedImage): number => image.read(qcow2Places.l2(image)) % 2 ** 56;
  const refcountOf = (image: PatchedImage, cluster: number): number =>
    qcow2Places.refcountBlock(image) + 2 * (cluster / CLUSTER);
  const cases: [what: string, change: (image: PatchedImage) => void][] = [
    ["version 4", (image) => image.write(4, 4, 4)],
    ["cluster bits 8", (image) => image.write(20, 8, 4)],
    ["cluster bits 22", (image) => image.write(20, 22, 4)],
    ["a size that is no multiple of 512", (image) => image.write(24, 4 * MiB + 100)],
    ["L1 past the end", (image) => image.write(40, image.length + CLUSTER)],
    ["L1 unaligned", (image) => image.write(40, image.read(40) + 512)],
    ["L1 too small", (image) => image.write(36, 0, 4)],
    ["a refcount table at 0", (image) => image.write(48, 0)],
    ["a refcount table of no clusters", (image) => image.write(56, 0, 4)],
    ["an unknown incompatible bit", (image) => image.write(72, 64, 1)],
    ["a header length of 103", (image) => image.write(100, 103, 4)],
    ["L2 past the end", (image) => image.write(qcow2Places.l1(image), entry(image.length * 2))],
    ["L2 on the header", (image) => image.write(qcow2Places.l1(image), entry(0))],
    ["L2 on L1", (image) => image.write(qcow2Places.l1(image), entry(qcow2Places.l1(image)))],
    ["data past the end", (image) => image.write(qcow2Places.l2(image), entry(image.length + 8 * CLUSTER))],
    ["data unaligned", (image) => image.write(qcow2Places.l2(image), entry(dataOf(image) + 512))],
    [
      "data on the refcount block",
      (image) => image.write(qcow2Places.l2(image), entry(qcow2Places.refcountBlock(image))),
    ],
    ["data used twice", (image) => image.write(qcow2Places.l2(image) + 8, entry(dataOf(image)))],
    ["a refcount of 0 for data", (image) => image.write(refcountOf(image, dataOf(image)), 0, 2)],
    ["a refcount block past the end", (image) => image.write(qcow2Places.refcountTable(image), image.length * 2)],
    ["a file cut inside its tables", (image) => image.resize(3 * CLUSTER)],
  ];
  it.each(cases)("%s", async (_what, change) => {
    const path = await makeWithData("a.qcow2");
    await patch(path, "qcow2", change);
    expect(["corrupt", "unsupported", "out-of-bounds"]).toContain((await refusalOf(path, "qed")).kind);
  });
});

describe("files that are not ours to write", () => {
  it("a symlink", async () => {
    const path = await makeWithData("a.qed");
    await rename(path, place("real.qed"));
    await symlink("real.qed", path);
    expect((await refusalOf(path, "qcow2")).message).toMatch(/link/);
  });

  it("one of two hard links", async () => {
    const path = await makeWithData("a.qed");
    await link(path, place("other.qed"));
    expect((await refusalOf(path, "qcow2")).message).toMatch(/link/);
  });

  it("one that QEMU has open", async () => {
    const path = await makeWithData("a.qcow2");
    const holder = spawn("qemu-io", [path], { stdio: ["pipe", "pipe", "ignore"] });
    try {
      // Its answer says that it has opened the image.
      holder.stdin.write("length\n");
      await new Promise((resolve) => holder.stdout.on("data", (words) => String(words).includes("MiB") && resolve(0)));
      expect((await refusalOf(path, "qed")).kind).toBe("in-use");
    } finally {
      const ended = new Promise((resolve) => holder.once("exit", resolve));
      holder.stdin.end("quit\n");
      await ended;
    }
    expect((await convert(path, "qed")).changed).toBe(true);
  });

  it("one whose guest is not the one expected", async () => {
    const path = await makeWithData("a.qed");
    const guestChecksum = { algorithm: "sha256", hex: "0".repeat(64) } as const;
    expect((await refusalOf(path, "qcow2", { guestChecksum })).message).toMatch(/0000/);
  });

  it("one that would grow by more than is allowed", async () => {
    const path = await makeWithData("a.qed");
    expect((await refusalOf(path, "qcow2", { maxExtraSpace: 65_536 })).message).toMatch(/more than the 65536 allowed/);
  });
});
