import { expect, test } from "vitest";
import { formatSize, parseSize } from "../../../src/bytes/size-text.ts";

test.each([
  ["0", 0],
  ["512", 512],
  ["512b", 512],
  ["64k", 65536],
  ["64K", 65536],
  ["1.5M", 1_572_864],
  ["2G", 2 ** 31],
  ["1T", 2 ** 40],
  ["0x10000", 65536],
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
])("%s is %d bytes", (text, size) => {
  expect(parseSize(text, "a size")).toBe(size);
});

test.each(["", "k", "-1", "1 k", "64kb", "1e3", "0.3", "1.0001k", "9007199254740992", "8E", "0x", "0x1k", "x"])(
  "%j is no size",
  (text) => {
    expect(() => parseSize(text, "--max-extra-space")).toThrow(/^Cannot use ".*" for --max-extra-space/);
  },
);

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1000, "0.977 KiB"],
  [1024, "1 KiB"],
  [65536, "64 KiB"],
  [1_610_612_736, "1.5 GiB"],
  [1023.9 * 1024, "1 MiB"],
  [2 ** 50, "1 PiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
