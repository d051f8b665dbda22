/** The lines of the input `image`. */

import { expect, test } from "vitest";
import { parseImageLines } from "../../../src/action/image-lines.ts";

const HEX = "0123456789abcdef".repeat(4);

test.each([
  ["disk.qed", "disk.qed", undefined],
  ["two names.qed", "two names.qed", undefined],
  [`two names.qed  guest-sha256:${HEX.toUpperCase()}`, "two names.qed", { algorithm: "sha256", hex: HEX }],
  [`a guest-blkhash-sha256:${HEX}`, "a", { algorithm: "blkhash-sha256", hex: HEX }],
  // A digest must end the line.
  [`guest-sha256:${HEX} a`, `guest-sha256:${HEX} a`, undefined],
  [`guest-sha256:${HEX}`, `guest-sha256:${HEX}`, undefined],
  ["C:\\images\\disk.qed", "C:\\images\\disk.qed", undefined],
])("%s", (line, name, guestChecksum) => {
  expect(parseImageLines(`\n  ${line}  \n`)).toEqual({ lines: [{ name, guestChecksum }], mistakes: [] });
});

test.each([
  ["a guest-sha256:12", "64 hex digits"],
  [`a guest-sha256:${HEX}0`, "64 hex digits"],
  ["a sha256:00", "is of a download"],
  ["a guest-sha512:00", "no digest guest-sha512"],
  [`a guest-sha256:${HEX} guest-blkhash-sha256:${HEX}`, "two digests"],
  [`https://example.org/a.qed sha256:${HEX}`, "URLs can't be fetched yet"],
  ["http://127.0.0.1/a.qed", "URLs can't be fetched yet"],
])("%s is refused", (line, why) => {
  const { lines, mistakes } = parseImageLines(`good.qed\n${line}`);
  expect(lines).toHaveLength(1);
  expect(mistakes).toEqual([expect.stringContaining(why)]);
});

test("no line at all is a mistake", () => {
  expect(parseImageLines(" \n ").mistakes).toHaveLength(1);
});
