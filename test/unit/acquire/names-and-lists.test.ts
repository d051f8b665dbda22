/** URLs, file names, headers and lists of checksums, as they come from outside. */

import { expect, test } from "vitest";
import { ChecksumList, listText } from "../../../src/acquire/checksum/checksum-list.ts";
import { parseHeaders } from "../../../src/acquire/http/request-headers.ts";
import { expectedDigest } from "../../../src/acquire/source/digest.ts";
import { cleanName, downloadName } from "../../../src/acquire/source/file-name.ts";
import { redirected, shownUrl, sourceUrl } from "../../../src/acquire/source/source-url.ts";

test.each(["https://a.example/x", "http://127.0.0.1:8/x", "http://[::1]/x", "http://localhost/x"])(
  "%s may be",
  (text) => {
    expect(sourceUrl(text).pathname).toBe("/x");
  },
);

test.each([
  "http://example.com/x",
  "http://127.0.0.2/x",
  "http://localhost.example.com/x",
  "ftp://a.example/x",
  "file:///etc/passwd",
  "https://user:word@a.example/x",
  "nonsense",
])("%s may not", (text) => {
  expect(() => sourceUrl(text)).toThrow(/^Cannot download/);
});

test("a refusal doesn't tell the password or the query", () => {
  expect(() => sourceUrl("https://user:word@a.example/x?key=1")).not.toThrow(/user|:word|key/);
  expect(shownUrl(new URL("https://a.example:8443/x?key=1#f"))).toBe("https://a.example:8443/x");
});

test("where redirects may lead", () => {
  const [secure, local] = [new URL("https://a.example/b/c"), new URL("http://localhost:1/b")];
  expect(redirected(secure, "d?e").href).toBe("https://a.example/b/d?e");
  expect(redirected(secure, "//other.example/f").href).toBe("https://other.example/f");
  expect(redirected(local, "http://127.0.0.1:2/").href).toBe("http://127.0.0.1:2/");
  for (const location of [
    "http://a.example/",
    "http://127.0.0.1/",
    "file:///x",
    "https://u:p@a.example/",
    "https://",
  ]) {
    expect(() => redirected(secure, location)).toThrow(/^Cannot follow the redirect of https:\/\/a\.example\/b\/c/);
  }
  expect(() => redirected(local, "http://a.example/")).toThrow("is not https");
});

test("names of downloads", () => {
  const name = (path: string) => downloadName(new URL(`https://a.example${path}`));
  expect(name("/x/disk%20one.qcow2?download=../evil")).toBe("disk one.qcow2");
  expect(name("/%2e%2e%2fevil.qcow2")).toBe("___evil.qcow2");
  expect(name("/%E0%A4%A")).toBe("_E0_A4_A");
  for (const path of ["/", "/x/", "/%20", "/%2e", "/..%2f"])
    expect(() => name(path)).toThrow(/must end in a file name$/);
});

test("clean names", () => {
  expect(cleanName("con")).toBe("_con");
  expect(cleanName("COM1.qcow2")).toBe("_COM1.qcow2");
  expect(cleanName(".hidden")).toBe("_hidden");
  expect(cleanName("-rf")).toBe("_rf");
  expect(cleanName("a. . ")).toBe("a");
  expect(cleanName("a\u202egpj.qcow2")).toBe("a_gpj.qcow2");
  expect(cleanName("ä.qcow2")).toBe("ä.qcow2");
  const long = cleanName(`${"é".repeat(500)}.qcow2`) ?? "";
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(200);
  expect(long.endsWith(".qcow2")).toBe(true);
});

test("headers", () => {
  expect(parseHeaders("Authorization: Bearer a:b\n\n X-Key :  v \n")).toEqual({
    authorization: "Bearer a:b",
    "x-key": "v",
  });
  for (const text of ["secret", ": secret", "a b: secret", "A: x\u0000secret", "A: x\nA: secret", "Range: secret"]) {
    expect(() => parseHeaders(text)).toThrow(/^Cannot use/);
    expect(() => parseHeaders(text)).not.toThrow(/secret/);
  }
});

test("digests have as many digits as their algorithm", () => {
  expect(expectedDigest({ algorithm: "sha256", hex: "A".repeat(64) }).hex).toBe("a".repeat(64));
  expect(() => expectedDigest({ algorithm: "sha512", hex: "a".repeat(64) })).toThrow("it needs 128 hex digits");
  expect(() => expectedDigest({ algorithm: "sha256", hex: "x".repeat(64) })).toThrow("it needs 64 hex digits");
});

const [one, two] = ["1".repeat(64), "2".repeat(64)];
const long = "3".repeat(128);

test("lists as Debian, Ubuntu, Fedora and coreutils write them", () => {
  const list = new ChecksumList(
    [
      "-----BEGIN PGP SIGNED MESSAGE-----",
      "# a comment",
      `${long}  debian-12-genericcloud-amd64.qcow2`,
      `${one} *noble-server-cloudimg-amd64.img\r`,
      `${two}  ./sub/with spaces.qcow2`,
      `SHA256 (Fedora.qcow2) = ${one.toUpperCase()}`,
      `\\${two}  odd\\\\name`,
      `${one}  both`,
      `${long}  both`,
      `${one}  same`,
      `${one}  other/same`,
    ].join("\n"),
    "the list",
  );
  expect(list.digestOf("debian-12-genericcloud-amd64.qcow2")).toEqual({ algorithm: "sha512", hex: long });
  expect(list.digestOf("noble-server-cloudimg-amd64.img")).toEqual({ algorithm: "sha256", hex: one });
  expect(list.digestOf("with spaces.qcow2").hex).toBe(two);
  expect(list.digestOf("Fedora.qcow2").hex).toBe(one);
  expect(list.digestOf("odd\\name").hex).toBe(two);
  expect(list.digestOf("both").algorithm).toBe("sha512");
  expect(list.digestOf("same").hex).toBe(one);
});

test.each([
  ["one space", `${one} disk.img`],
  ["a tab", `${one}\tdisk.img`],
  ["several of both", `  ${one} \t *disk.img  `],
  ["a byte order mark", `\ufeff${one}  disk.img`],
  ["CRLF and upper case", `${one.toUpperCase()}  disk.img\r\n`],
  ["./", `${one}  ./disk.img`],
  ["a path", `${one}  /build/out/disk.img`],
  ["a URL", `${one}  https://a.example/x/disk.img?signature=1`],
  ["an escaped URL", `${one}  https://a.example/x/dis%6B.img`],
  ["BSD", `SHA256 (disk.img) = ${one}`],
  ["openssl", `SHA256(disk.img)= ${one}`],
  ["openssl 3", `SHA2-256(./disk.img)= ${one}`],
  [
    "clear-signed",
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${one}  disk.img\n-----BEGIN PGP SIGNATURE-----\n`,
  ],
  ["clear-signed, dashes escaped", `-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n- ${one}  disk.img\r\n`],
  ["a digest alone", `${one}\n`],
  ["a digest alone with a mark, a comment, CRLF", `\ufeff# sha256\r\n\r\n${one.toUpperCase()}\r\n`],
  [
    "a digest alone, clear-signed",
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${one}\n-----BEGIN PGP SIGNATURE-----\n\niQEz${"A".repeat(60)}\n=abcd\n-----END PGP SIGNATURE-----\n`,
  ],
])("a line with %s", (_, text) => {
  expect(new ChecksumList(text, "the list").digestOf("disk.img")).toEqual({ algorithm: "sha256", hex: one });
});

test("lists in UTF-16, as PowerShell writes them", () => {
  const text = `\ufeff${one}  disk.img\r\n`;
  const little = Buffer.from(text, "utf16le");
  for (const bytes of [little, Buffer.from(little).swap16()]) {
    expect(new ChecksumList(listText(bytes), "the list").digestOf("disk.img").hex).toBe(one);
  }
  expect(new ChecksumList(listText(Buffer.from(text)), "the list").digestOf("disk.img").hex).toBe(one);
});

test.each([
  ["two digests alone", `${one}\n${two}\n`],
  ["a digest among other words", `Your digest:\n${one}\n`],
  ["a digest of another length", `${"1".repeat(40)}\n`],
  ["a tag that contradicts its digits", `SHA512 (disk.img) = ${one}`],
  ["lines that were not signed", `${one}  disk.img\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nnothing\n`],
])("%s: no list", (_, text) => {
  expect(() => new ChecksumList(text, "the list")).toThrow(/^Cannot use the list as a list of checksums/);
});

test("a digest alone beside lines with names is nobody's", () => {
  const list = new ChecksumList(`${one}\n${two}  other.img\n`, "the list");
  expect(() => list.digestOf("disk.img")).toThrow("it isn't listed");
  expect(list.digestOf("other.img").hex).toBe(two);
});

test("a page in the place of a list is named as what it is", () => {
  const page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>";
  expect(() => new ChecksumList(page, "the list")).toThrow("it is an HTML page");
});

test("lists that can't be used", () => {
  expect(() => new ChecksumList("<html>404</html>", "the list")).toThrow(/^Cannot use the list as a list of checksums/);
  const list = new ChecksumList(`${one}  a\n${two}  a\n`, "the list");
  expect(() => list.digestOf("a")).toThrow("Cannot find the digest of a in the list: it is listed twice");
  expect(() => list.digestOf("b")).toThrow("Cannot find the digest of b in the list: it isn't listed");
});
