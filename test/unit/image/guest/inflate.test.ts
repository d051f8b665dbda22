import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { inflateCluster, inflateFrameWithoutZlib } from "../../../../src/image/guest/inflate.ts";
import { seededRandom } from "../../../support/random.ts";

const CLUSTER = 65536;
const plain = Uint8Array.from({ length: CLUSTER }, (_, at) => (at * 31 + (at >>> 7)) & 0xff);
const padding = Buffer.alloc(300, 7);
const compress = { zlib: zlib.deflateRawSync, zstd: zlib.zstdCompressSync } as const;

describe.each(["zlib", "zstd"] as const)("inflateCluster %s", (method) => {
  const stored = compress[method](plain);

  test("gives the cluster, whatever follows the stream in its last sector", () => {
    expect(Buffer.compare(inflateCluster(method, stored, CLUSTER), plain)).toBe(0);
    expect(Buffer.compare(inflateCluster(method, Buffer.concat([stored, padding]), CLUSTER), plain)).toBe(0);
  });

  test.each([
    ["a stream of more than one cluster", compress[method](Buffer.alloc(CLUSTER + 1))],
    ["a stream of less than one cluster", compress[method](Buffer.alloc(CLUSTER - 1))],
    ["a bomb", compress[method](Buffer.alloc(64 * 1024 * 1024))],
    ["a cut stream", stored.subarray(0, stored.length - 20)],
    ["noise", Buffer.alloc(512, 0xff)],
    ["nothing", Buffer.alloc(0)],
  ])("refuses %s", (_what, bytes) => {
    expect(() => inflateCluster(method, bytes, CLUSTER)).toThrow(ImageError);
    expect(() => inflateCluster(method, bytes, CLUSTER)).toThrow(/^Cannot inflate the z/);
  });

  test("noise in a stream gives one cluster or an ImageError", () => {
    const random = seededRandom(99);
    for (let turn = 0; turn < 200; turn++) {
      const noisy = Buffer.from(stored);
      for (let flip = 0; flip < 1 + random.below(6); flip++) noisy[random.below(noisy.length)] = random.below(256);
      try {
        expect(inflateCluster(method, noisy, CLUSTER)).toHaveLength(CLUSTER);
      } catch (error) {
        expect(error).toMatchObject({ name: "ImageError", kind: "corrupt" });
      }
    }
  });
});

describe("a bomb is given up at a cluster's length, whatever its header says", () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024);
  const unsized = { params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 } };
  test.each([
    ["zlib", zlib.deflateRawSync(zeros)],
    ["zstd", zlib.zstdCompressSync(zeros, unsized)],
  ] as const)("%s", (method, bomb) => {
    // Were it inflated to its end, the message would tell the length.
    expect(() => inflateCluster(method, bomb, CLUSTER)).toThrow(/^(?!.*67108864).*65536/);
  });
});

describe("zstd", () => {
  test.each([{}, { [zlib.constants.ZSTD_c_checksumFlag]: 1 }, { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 }])(
    "the end of a frame is found by its own headers: %o",
    (params) => {
      const stored = Buffer.concat([zlib.zstdCompressSync(plain, { params }), padding]);
      expect(Buffer.compare(inflateCluster("zstd", stored, CLUSTER), plain)).toBe(0);
    },
  );

  test("without the zlib of Node 24 gives the same", () => {
    const stored = zlib.zstdCompressSync(plain);
    expect(Buffer.compare(inflateFrameWithoutZlib(stored, CLUSTER), plain)).toBe(0);
    expect(() => inflateFrameWithoutZlib(zlib.zstdCompressSync(Buffer.alloc(CLUSTER + 1)), CLUSTER)).toThrow(
      ImageError,
    );
  });

  test("several frames may make a cluster, empty ones don't", () => {
    const [first, second] = [plain.subarray(0, 1000), plain.subarray(1000)];
    const frames = [zlib.zstdCompressSync(first), zlib.zstdCompressSync(second), padding];
    expect(Buffer.compare(inflateCluster("zstd", Buffer.concat(frames), CLUSTER), plain)).toBe(0);
    const empty = zlib.zstdCompressSync(Buffer.alloc(0));
    expect(() => inflateCluster("zstd", Buffer.concat([empty, ...frames]), CLUSTER)).toThrow(/it holds 0 bytes/);
    expect(() => inflateCluster("zstd", Buffer.concat(frames.slice(0, 1)), CLUSTER)).toThrow(ImageError);
  });

  test("a frame that asks for much is refused before anything is allocated", () => {
    const wideWindow = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 14 << 3, 1, 0, 0]);
    expect(() => inflateCluster("zstd", wideWindow, CLUSTER)).toThrow(/window is larger than 8 MiB/);
    const segmentOfTwoGiB = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x80, 1, 0, 0]);
    expect(() => inflateCluster("zstd", segmentOfTwoGiB, CLUSTER)).toThrow(/says that it holds more than 65536 bytes/);
  });
});
