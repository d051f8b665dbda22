/** A stopped write leaves a beginning of the new bytes over the old ones, and nothing else. */

import { expect, test } from "vitest";
import { isWrittenInPart } from "../../../src/bytes/torn-write.ts";

const OLD = Uint8Array.of(1, 2, 3, 4);
const NEW = Uint8Array.of(9, 2, 8, 7);

test.each([
  ["nothing of it", OLD, true],
  ["all of it", NEW, true],
  ["its first byte", Uint8Array.of(9, 2, 3, 4), true],
  ["all but its last byte", Uint8Array.of(9, 2, 8, 4), true],
  ["its end alone", Uint8Array.of(1, 2, 8, 7), false],
  ["every second byte", Uint8Array.of(9, 2, 3, 7), false],
  ["a byte of neither", Uint8Array.of(9, 2, 5, 4), false],
])("%s", (_name, found, expected) => {
  expect(isWrittenInPart(found, NEW, OLD)).toBe(expected);
});
