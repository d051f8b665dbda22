/** CRC-32 against published values: the catalogue's check value, RFC 3720's examples (B.4), and zlib. */

import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { Crc32Polynomial, crc32 } from "../../../src/bytes/crc32.ts";

const { ieee, castagnoli } = Crc32Polynomial;
const DIGITS = new TextEncoder().encode("123456789");
const rising = Uint8Array.from({ length: 32 }, (_, at) => at);

describe("IEEE 802.3", () => {
  test.each([
    ["nothing", new Uint8Array(0), 0],
    ["123456789", DIGITS, 0xcbf43926],
    ["32 zeros", new Uint8Array(32), 0x190a55ad],
    ["32 bytes of 0xff", new Uint8Array(32).fill(0xff), 0xff6cab0b],
  ])("%s", (_name, bytes, expected) => {
    expect(crc32(bytes)).toBe(expected);
    expect(crc32(bytes, ieee)).toBe(expected);
  });

  test("every byte as zlib's", () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7) % 256);
    expect(crc32(bytes)).toBe(zlib.crc32(bytes));
  });
});

test.each([
  ["nothing", new Uint8Array(0), 0],
  ["123456789", DIGITS, 0xe3069283],
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of 0xff", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["0 to 31", rising, 0x46dd794e],
  ["31 to 0", rising.toReversed(), 0x113fdb5c],
])("CRC-32C: %s", (_name, bytes, expected) => {
  expect(crc32(bytes, castagnoli)).toBe(expected);
  // And the other one's table is still its own.
  expect(crc32(DIGITS)).toBe(0xcbf43926);
});
