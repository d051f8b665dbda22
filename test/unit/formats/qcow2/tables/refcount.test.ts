/** One refcount of each width, as the specification packs it and as qemu-img 7.2 shows it. */

import { describe, expect, test } from "vitest";
import {
  exactRefcountAt,
  maxRefcount,
  refcountAt,
  refcountsPerBlock,
  setRefcount,
} from "../../../../../src/formats/qcow2/tables/refcount.ts";

const WIDTHS = [1, 2, 4, 8, 16, 32, 64];

function view(...bytes: readonly number[]): DataView {
  return new DataView(Uint8Array.from(bytes).buffer);
}

test.each([
  [1, 0, [0x01], 1],
  [1, 7, [0x80], 1],
  [2, 1, [0x0c], 3],
  [4, 0, [0x0f], 15],
  [4, 1, [0xf0], 15],
  [8, 1, [0, 0xff], 255],
  [16, 1, [0, 0, 0x12, 0x34], 0x1234],
  [32, 1, [0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78], 0x12345678],
  [64, 0, [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Number.MAX_SAFE_INTEGER],
])("%i bits, refcount %i", (bits, index, bytes, refcount) => {
  expect(refcountAt(view(...bytes), index, bits)).toBe(refcount);
  expect(exactRefcountAt(view(...bytes), index, bits)).toBe(refcount);
  const written = view(...bytes.map(() => 0));
  setRefcount(written, index, bits, refcount);
  expect([...new Uint8Array(written.buffer)]).toEqual(bytes);
});

describe.each(WIDTHS)("%i bits", (bits) => {
  test("what is set is read, and its neighbours stay", () => {
    const block = new DataView(new ArrayBuffer(64));
    const count = refcountsPerBlock(64, bits);
    const most = Math.min(maxRefcount(bits), Number.MAX_SAFE_INTEGER);
    const expected: number[] = new Array(count).fill(0);
    // Each is written twice, the second time over all ones.
    for (const round of [most, 1, 0, most]) {
      for (let index = 0; index < count; index += round === 0 ? 3 : 1) {
        expected[index] = round;
        setRefcount(block, index, bits, round);
        expect(refcountAt(block, index, bits)).toBe(round);
      }
      expect(expected.map((_, index) => refcountAt(block, index, bits))).toEqual(expected);
    }
  });

  test("all ones are the largest", () => {
    const block = view(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    expect(refcountAt(block, 0, bits)).toBe(maxRefcount(bits));
    expect(BigInt(exactRefcountAt(block, 0, bits))).toBe(2n ** BigInt(bits) - 1n);
  });
});

test("64 bits are told to the last digit, which a double can't hold", () => {
  const block = new DataView(new ArrayBuffer(16));
  block.setBigUint64(8, 2n ** 53n + 1n);
  expect(refcountAt(block, 1, 64)).toBe(2 ** 53);
  expect(exactRefcountAt(block, 1, 64)).toBe(9_007_199_254_740_993n);
});
