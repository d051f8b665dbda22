import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflateCluster, inflateFrameInScript } from "../../../../src/formats/qcow2/inflate.ts";
import { zstdFrameLength } from "../../../../src/formats/qcow2/zstd-frame.ts";
import { seededRandom } from "../../../support/random.ts";

const CLUSTER = 65_536;

function content(size: number): Buffer {
  const random = seededRandom(size);
  return Buffer.from(Array.from({ length: size }, (_, at) => (at % 700 < 300 ? random.below(256) : 65)));
}

const plain = content(CLUSTER);
const padding = Buffer.alloc(700, 0xaa);
const corrupt = (message: string) =>
  expect.objectContaining({ kind: "corrupt", message: expect.stringContaining(message) });

describe.each([
  ["zlib", (bytes: Buffer) => zlib.deflateRawSync(bytes)],
  ["zstd", (bytes: Buffer) => zlib.zstdCompressSync(bytes)],
] as const)("%s", (method, deflate) => {
  it("gives back the cluster, whatever follows its stream", () => {
    const stored = deflate(plain);
    for (const bytes of [stored, Buffer.concat([stored, padding])]) {
      expect(plain.equals(inflateCluster(bytes, method, CLUSTER))).toBe(true);
    }
  });

  it("refuses more than one cluster", () => {
    expect(() => inflateCluster(deflate(content(CLUSTER + 1)), method, CLUSTER)).toThrow(
      corrupt("more than 65536 bytes"),
    );
  });

  it("refuses a bomb without inflating it", () => {
    const bomb = deflate(Buffer.alloc(2 ** 28));
    expect(() => inflateCluster(bomb, method, CLUSTER)).toThrow(corrupt("more than 65536 bytes"));
  });

  it("refuses less than one cluster", () => {
    expect(() => inflateCluster(deflate(content(CLUSTER - 1)), method, CLUSTER)).toThrow(corrupt("Cannot"));
  });

  it("refuses a stream that its sectors cut short", () => {
    const stored = deflate(plain);
    expect(() => inflateCluster(stored.subarray(0, stored.length - 9), method, CLUSTER)).toThrow(corrupt("Cannot"));
  });

  it("refuses noise with an ImageError at worst", () => {
    const random = seededRandom(99);
    const stored = deflate(plain);
    for (let turn = 0; turn < 200; turn++) {
      const noisy = Buffer.from(stored);
      for (let flip = 0; flip < 1 + random.below(6); flip++) noisy[random.below(noisy.length)] = random.below(256);
      let length = CLUSTER;
      try {
        length = inflateCluster(noisy, method, CLUSTER).length;
      } catch (cause) {
        expect(cause).toMatchObject({ name: "ImageError", kind: "corrupt" });
      }
      expect(length).toBe(CLUSTER);
    }
  });
});

it("reads a cluster in several Zstandard frames", () => {
  const halves = [plain.subarray(0, 30_000), plain.subarray(30_000)].map((half) => zlib.zstdCompressSync(half));
  expect(plain.equals(inflateCluster(Buffer.concat([...halves, padding]), "zstd", CLUSTER))).toBe(true);
});

it("finds the end of a frame with and without checksum and content size", () => {
  for (const params of [
    {},
    { [zlib.constants.ZSTD_c_checksumFlag]: 1 },
    { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 },
  ]) {
    const frame = zlib.zstdCompressSync(plain, { params });
    expect(zstdFrameLength(Buffer.concat([frame, padding]), CLUSTER)).toBe(frame.length);
  }
});

it("inflates Zstandard in script as Node does, within the bound", () => {
  const frame = zlib.zstdCompressSync(plain);
  expect(plain.equals(inflateFrameInScript(frame, CLUSTER))).toBe(true);
  expect(() => inflateFrameInScript(frame, CLUSTER - 1)).toThrow("more than 65535 bytes");
});
