/** Zstandard's headers, read field by field against frames put together by hand, and walked through what zlib makes. */

import { constants, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  MAX_ZSTD_HEADER,
  MIN_ZSTD_HEADER,
  ZSTD_BLOCK_HEADER,
  ZSTD_MAGIC,
  zstdBlockHeader,
  zstdFrameHeader,
} from "../../../src/bytes/zstd-frame.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const frame = (...bytes: number[]) => Uint8Array.from([...MAGIC, ...bytes]);
const nothing = { needsDictionary: false, windowSize: undefined, contentSize: undefined, checksumLength: 0 };

test.each([
  ["a window, no size", frame(0, 0), { ...nothing, length: 6, windowSize: 1024 }],
  ["a window between powers of two", frame(0, 0x6f), { ...nothing, length: 6, windowSize: 2 ** 23 * 1.875 }],
  ["the largest window", frame(0, 0xff), { ...nothing, length: 6, windowSize: 2 ** 41 * 1.875 }],
  ["a single segment of one byte's size", frame(0x20, 200), { ...nothing, length: 6, contentSize: 200 }],
  ["two bytes' size", frame(0x60, 1, 2), { ...nothing, length: 7, contentSize: 0x201 + 256 }],
  ["four bytes' size", frame(0xa0, 1, 2, 3, 0x84), { ...nothing, length: 9, contentSize: 0x84030201 }],
  ["eight bytes' size", frame(0xe0, 1, 0, 0, 0, 1, 0, 0, 0), { ...nothing, length: 13, contentSize: 2 ** 32 + 1 }],
  ["a checksum", frame(4, 0), { ...nothing, length: 6, windowSize: 1024, checksumLength: 4 }],
  [
    "everything, a dictionary's number before the size",
    frame(0xc7, 8, 9, 9, 9, 9, 7, 0, 0, 0, 0, 0, 0, 0),
    { length: MAX_ZSTD_HEADER, needsDictionary: true, windowSize: 2048, contentSize: 7, checksumLength: 4 },
  ],
  [
    "a dictionary's number of one byte",
    frame(0x21, 9, 5),
    { ...nothing, length: 7, needsDictionary: true, contentSize: 5 },
  ],
])("%s", (_, bytes, header) => {
  expect(zstdFrameHeader(bytes)).toEqual(header);
  expect(bytes.length).toBe(header.length);
});

test("a header that is cut off says how much of it there should be", () => {
  expect(zstdFrameHeader(new Uint8Array()).length).toBe(MIN_ZSTD_HEADER);
  expect(zstdFrameHeader(frame(0xc3)).length).toBe(MAX_ZSTD_HEADER);
  expect(zstdBlockHeader(new Uint8Array()).length).toBe(ZSTD_BLOCK_HEADER);
});

test.each([
  ["raw", [0x50, 0, 0], { length: 13, isLast: false, kind: 0, size: 10 }],
  ["the last, compressed", [0x55, 0x34, 0x12], { length: 3 + 0x2468a, isLast: true, kind: 2, size: 0x2468a }],
  ["one byte repeated", [0xfb, 0xff, 0xff], { length: 4, isLast: true, kind: 1, size: 2 ** 21 - 1 }],
  ["no kind that there is", [0x06, 0, 0], { length: 3, isLast: false, kind: 3, size: 0 }],
])("a block: %s", (_, bytes, header) => {
  expect(zstdBlockHeader(Uint8Array.from(bytes))).toEqual(header);
});

test("what zlib makes ends where its headers say", () => {
  const contents = [new Uint8Array(0), new Uint8Array(300_000), Buffer.from("abc".repeat(90_000)), Buffer.from("x")];
  for (const content of contents) {
    for (const checksum of [0, 1]) {
      const params = { [constants.ZSTD_c_checksumFlag]: checksum, [constants.ZSTD_c_contentSizeFlag]: 1 };
      const made = zstdCompressSync(content, { params });
      expect(made.readUInt32LE()).toBe(ZSTD_MAGIC);
      const header = zstdFrameHeader(made);
      expect(header.contentSize).toBe(content.length);
      let end = header.length;
      for (let isLast = false; !isLast && end < made.length; ) {
        const block = zstdBlockHeader(made.subarray(end));
        [end, isLast] = [end + block.length, block.isLast];
      }
      expect(end + header.checksumLength).toBe(made.length);
    }
  }
});
