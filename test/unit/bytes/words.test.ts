import { expect, it } from "vitest";
import { asWord, wordsOf } from "../../../src/bytes/words.ts";

it("reads big-endian words as `asWord` has them, wherever the bytes begin", () => {
  const bytes = Uint8Array.of(9, 0x80, 1, 2, 3, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff);
  for (const from of [1, 5]) {
    const view = new DataView(bytes.buffer, from);
    expect([...wordsOf(bytes.subarray(from))]).toEqual(
      Array.from({ length: (bytes.length - from) / 4 }, (_, at) => asWord(view.getUint32(at * 4))),
    );
  }
  expect(asWord(0x0101_0101)).toBe(0x0101_0101);
  expect(asWord(0x8000_0000)).toBe(asWord(-0x8000_0000));
});
