/** The lines of the input `image`. */

import { expect, test } from "vitest";
import { imageLine, parseImageLines } from "../../../../src/action/inputs/image-lines.ts";

const HEX = "0123456789abcdef".repeat(4);
const URL_ = "https://example.org/a%20b.qed?x=y%20z";

test.each([
  ["disk.qed", "disk.qed", undefined],
  ["two names.qed", "two names.qed", undefined],
  [`two names.qed  guest-sha256:${HEX.toUpperCase()}`, "two names.qed", { algorithm: "sha256", hex: HEX }],
  [`a guest-blkhash-sha256:${HEX}`, "a", { algorithm: "blkhash-sha256", hex: HEX }],
  // A digest must end the line.
  [`guest-sha256:${HEX} a`, `guest-sha256:${HEX} a`, undefined],
  [`guest-sha256:${HEX}`, `guest-sha256:${HEX}`, undefined],
  ["C:\\images\\disk.qed", "C:\\images\\disk.qed", undefined],
] as const)("%s", (line, name, guestChecksum) => {
  expect(parseImageLines(`\n  ${line}  \n`)).toEqual({ lines: [{ name, guestChecksum }], urls: [], mistakes: [] });
  expect(parseImageLines(imageLine(name, undefined, guestChecksum)).lines).toEqual([{ name, guestChecksum }]);
});

test.each([
  [URL_, undefined, undefined],
  [`${URL_} sha256:${HEX}`, { algorithm: "sha256", hex: HEX }, undefined],
  [`${URL_} SHA512:${HEX}${HEX}`, { algorithm: "sha512", hex: HEX + HEX }, undefined],
  [
    `${URL_} guest-blkhash-sha256:${HEX} sha256:${HEX.toUpperCase()}`,
    { algorithm: "sha256", hex: HEX },
    { algorithm: "blkhash-sha256", hex: HEX },
  ],
] as const)("%s", (line, digest, guestChecksum) => {
  const url = { url: URL_, digest, guestChecksum };
  expect(parseImageLines(line)).toEqual({ lines: [], urls: [url], mistakes: [] });
  expect(parseImageLines(imageLine(URL_, digest, guestChecksum)).urls).toEqual([url]);
});

test.each(["http://127.0.0.1:8080/a.qed", "http://localhost/a.qed", "http://[::1]/a.qed"])(
  "%s is this machine",
  (url) => {
    expect(parseImageLines(url)).toMatchObject({ urls: [{ url }], mistakes: [] });
  },
);

test.each([
  ["a guest-sha256:12", "64 hex digits"],
  [`a guest-sha256:${HEX}0`, "64 hex digits"],
  ["a sha256:00", "is of a download"],
  ["a guest-sha512:00", "no digest guest-sha512"],
  [`a guest-sha256:${HEX} guest-blkhash-sha256:${HEX}`, "two digests"],
  [`${URL_} sha256:${HEX} sha512:${HEX}${HEX}`, "two digests"],
  [`${URL_} sha512:${HEX}`, "128 hex digits"],
  ["http://example.org/a.qed", "only https"],
  ["ftp://example.org/a.qed", "only https"],
  ["https://user:secret@example.org/a.qed", "ends up in logs"],
  ["https://", "no URL"],
])("%s is refused", (line, why) => {
  const { lines, urls, mistakes } = parseImageLines(`good.qed\n${line}`);
  expect([lines.length, urls.length]).toEqual([1, 0]);
  expect(mistakes).toEqual([expect.stringContaining(why)]);
});

test("secrets in a line are not told", () => {
  const lines = ["https://user:secret@example.org/a.qed sha256:12", "ftp://example.org/a.qed?token=secret"];
  const { mistakes } = parseImageLines(lines.join("\n"));
  expect(mistakes).toHaveLength(2);
  expect(mistakes.join()).not.toContain("secret");
});

test("a URL that stands there twice is a mistake", () => {
  expect(parseImageLines(`${URL_}\n${URL_} sha256:${HEX}`).mistakes).toEqual([expect.stringContaining("twice")]);
});

test("no line at all is a mistake", () => {
  expect(parseImageLines(" \n ").mistakes).toHaveLength(1);
});
