/** Each codec against its own tool, in chunks of any length, whole and damaged. */

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { unpacked, unpackingOf } from "../../src/acquire/unpack/unpacking.ts";
import { frameContentsWithoutZlib, zstdContents } from "../../src/acquire/unpack/zstd-frames.ts";
import { allOf, inChunks } from "../support/bytes-in-chunks.ts";
import { seededRandom } from "../support/random.ts";

/** Text, noise and zeros. */
function sample(): Buffer {
  const random = seededRandom(1);
  const noise = Buffer.from(Uint8Array.from({ length: 20_000 }, () => random.below(256)));
  const text = Buffer.from(Array.from({ length: 3000 }, (_, n) => `line ${n}\n`).join(""));
  return Buffer.concat([noise, text, Buffer.alloc(200_000), noise.subarray(7, 5000)]);
}
const plain = sample();

const made = new Map<string, Buffer>();

function packed(tool: string, ...options: string[]): Buffer {
  const key = [tool, ...options].join(" ");
  const bytes = made.get(key) ?? run(tool, options);
  made.set(key, bytes);
  return bytes;
}

function run(tool: string, options: readonly string[]): Buffer {
  return execFileSync(tool, ["-c", ...options], {
    input: plain,
    maxBuffer: 2 ** 26,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

const tools: [suffix: string, tool: string, options: string[]][] = [
  [".gz", "gzip", []],
  [".gz", "gzip", ["-1"]],
  [".xz", "xz", ["-0"]],
  [".xz", "xz", ["--check=crc32"]],
  [".xz", "xz", ["-T2", "--block-size=32768"]],
  [".zst", "zstd", ["-q"]],
  [".zst", "zstd", ["-q", "--no-check", "-19"]],
  [".zst", "zstd", ["-q", "--long=27"]],
  [".bz2", "bzip2", []],
  [".bz2", "bzip2", ["-1"]],
];

function unpack(bytes: Uint8Array, suffix: string, chunkLength = 65_536): Promise<Buffer> {
  return allOf(unpacked(inChunks(bytes, chunkLength), unpackingOf(`disk.img${suffix}`).codec, "the download"));
}

test.each(tools)("%s of %s %j, whatever the chunks", async (suffix, tool, options) => {
  const bytes = packed(tool, ...options);
  for (const length of [61, 4096, 1_000_000]) expect((await unpack(bytes, suffix, length)).equals(plain)).toBe(true);
});

test.each(tools)("%s of %s %j: several, one after another, are one", async (suffix, tool, options) => {
  const bytes = packed(tool, ...options);
  const twice = await unpack(Buffer.concat([bytes, bytes]), suffix);
  expect(twice.equals(Buffer.concat([plain, plain]))).toBe(true);
});

test.each(tools)("%s of %s %j: cut off anywhere it fails", async (suffix, tool, options) => {
  const bytes = packed(tool, ...options);
  for (const length of [1, 6, 100, bytes.length >> 1, bytes.length - 5, bytes.length - 1]) {
    await expect(unpack(bytes.subarray(0, length), suffix), `${length} bytes`).rejects.toMatchObject({
      name: "ImageError",
      message: expect.stringMatching(/^Cannot unpack the download/),
    });
  }
});

test.each(tools.filter(([, , options]) => !options.includes("--no-check")))(
  "%s of %s %j: a flipped bit is found",
  async (suffix, tool, options) => {
    const bytes = Buffer.from(packed(tool, ...options));
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 0x10;
    await expect(unpack(bytes, suffix)).rejects.toMatchObject({ kind: "corrupt" });
  },
);

test("a name that says one thing of bytes that are another", async () => {
  for (const [suffix] of tools) {
    await expect(unpack(Buffer.from("QFI\xfb and so on"), suffix)).rejects.toMatchObject({ kind: "not-this-format" });
    await expect(unpack(Buffer.alloc(0), suffix)).rejects.toThrow("it is empty");
  }
});

test("zeros after gzip are padding, whatever the chunks; anything else is not", async () => {
  const bytes = packed("gzip");
  for (const length of [7, 1000, 65_536]) {
    for (const padding of [3, 10, 100_000]) {
      const padded = Buffer.concat([bytes, Buffer.alloc(padding)]);
      expect((await unpack(padded, ".gz", length)).equals(plain)).toBe(true);
    }
    await expect(unpack(Buffer.concat([bytes, Buffer.from("garbage")]), ".gz", length)).rejects.toMatchObject({
      kind: "corrupt",
    });
  }
});

test("skippable frames of zstd are skipped, garbage after the last is not", async () => {
  const skippable = Buffer.from("512a4d180500000068656c6c6f", "hex");
  const frame = packed("zstd", "-q");
  const bytes = Buffer.concat([skippable, frame, skippable, frame, skippable]);
  expect((await unpack(bytes, ".zst")).equals(Buffer.concat([plain, plain]))).toBe(true);
  await expect(unpack(Buffer.concat([frame, Buffer.from("garbage")]), ".zst")).rejects.toMatchObject({
    kind: "corrupt",
  });
});

test("no window is allocated on a header's word alone", async () => {
  // 2 GiB of window, and 1 TiB of content in a single segment.
  for (const header of ["28b52ffd00a8", "28b52ffde00000000000010000"]) {
    const bytes = Buffer.concat([Buffer.from(header, "hex"), Buffer.alloc(64)]);
    await expect(allOf(zstdContents(inChunks(bytes, 5)))).rejects.toMatchObject({ kind: "unsupported" });
  }
  await expect(unpack(packed("xz", "--lzma2=dict=192MiB"), ".xz")).rejects.toMatchObject({ kind: "unsupported" });
});

test("zstd without the zstd of node:zlib, as on Node 20", async () => {
  for (const length of [7, 4096, 1_000_000]) {
    const bytes = packed("zstd", "-q");
    expect((await allOf(frameContentsWithoutZlib(inChunks(bytes, length)))).equals(plain)).toBe(true);
  }
});

test("two xz streams at once, and one that is left in the middle, leave the decoder to the next", async () => {
  const bytes = packed("xz");
  const [one, other] = await Promise.all([unpack(bytes, ".xz"), unpack(bytes, ".xz")]);
  expect(one.equals(plain) && other.equals(plain)).toBe(true);
  for await (const _ of unpacked(inChunks(bytes, 1000), unpackingOf("a.xz").codec, "it")) break;
  expect((await unpack(bytes, ".xz")).equals(plain)).toBe(true);
});

test("an error of the source stays what it is", async () => {
  const broken = async function* () {
    yield packed("gzip").subarray(0, 1000);
    throw new Error("the line is dead");
  };
  for (const [suffix, tool] of tools) {
    const bytes = packed(tool);
    const source = async function* () {
      yield bytes.subarray(0, 1000);
      throw new Error("the line is dead");
    };
    await expect(allOf(unpacked(source(), unpackingOf(`x${suffix}`).codec, "it"))).rejects.toThrow(
      /^the line is dead$/,
    );
  }
  await expect(allOf(unpacked(broken(), undefined, "it"))).rejects.toThrow(/^the line is dead$/);
});

test("what a name says", () => {
  const told = (name: string) => {
    const { name: bare, codec, isArchive } = unpackingOf(name);
    return [bare, codec?.name, isArchive];
  };
  expect(told("a.qcow2")).toEqual(["a.qcow2", undefined, false]);
  expect(told("a.img.GZ")).toEqual(["a.img", "gzip", false]);
  expect(told("a.tar")).toEqual(["a", undefined, true]);
  expect(told("a.ova")).toEqual(["a", undefined, true]);
  expect(told("a.tar.xz")).toEqual(["a", "xz", true]);
  expect(told("a.tgz")).toEqual(["a", "gzip", true]);
  expect(told("a.tbz2")).toEqual(["a", "bzip2", true]);
  expect(told("a.tar.zst")).toEqual(["a", "zstd", true]);
  expect(told(".gz")).toEqual([".gz", undefined, false]);
});
