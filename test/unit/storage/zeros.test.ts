import { expect, test } from "vitest";
import { areZeros, withoutTrailingZeros } from "../../../src/storage/zeros.ts";

test("all are zeros, or one is not, wherever it lies", () => {
  for (const length of [0, 1, 4096, 65_536, 200_000]) {
    const bytes = new Uint8Array(length);
    expect(areZeros(bytes)).toBe(true);
    for (const at of [0, 1, 65_535, 65_536, length - 1].filter((each) => each >= 0 && each < length)) {
      bytes[at] = 1;
      expect(areZeros(bytes), `${at} of ${length}`).toBe(false);
      bytes[at] = 0;
    }
  }
});

test("what is left without trailing zeros ends with the last byte that is none", () => {
  for (const length of [0, 1, 4095, 4096, 4097, 65_536]) {
    const bytes = new Uint8Array(length);
    expect(withoutTrailingZeros(bytes)).toHaveLength(0);
    for (const at of [0, 511, 4094, 4095, 4096, length - 1].filter((each) => each >= 0 && each < length)) {
      bytes[at] = 1;
      expect(withoutTrailingZeros(bytes), `${at} of ${length}`).toHaveLength(at + 1);
      bytes[at] = 0;
    }
  }
});
