/** What `info` tells of a LUKS header, against qemu-img's own words. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { info, kebabKeys } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "inplace-convert-luks-"));
const path = join(folder, "disk.qcow2");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function make(cipher: string): void {
  const options = `encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10${cipher}`;
  const secret = ["--object", "secret,id=s,data=abc"];
  execFileSync("qemu-img", ["create", "-q", ...secret, "-f", "qcow2", "-o", options, path, "4M"]);
}

async function ours(): Promise<unknown> {
  return JSON.parse(JSON.stringify(kebabKeys(await info(path))))["format-specific"].data.encrypt;
}

test.each([
  "",
  ",encrypt.cipher-alg=serpent-128,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv,encrypt.ivgen-hash-alg=sha256",
  ",encrypt.cipher-alg=twofish-256,encrypt.hash-alg=sha512",
])("as created by luks%s", async (cipher) => {
  make(cipher);
  const text = execFileSync("qemu-img", ["info", "--output=json", path], { encoding: "utf8" });
  const { encrypt } = JSON.parse(text)["format-specific"].data;
  // Newer ones than 7.2 say that the header is no file of its own, which of an image in one file is always so.
  delete encrypt["detached-header"];
  const found = await ours();
  expect(found).toEqual(encrypt);
  expect(Object.keys(found as object)).toEqual(Object.keys(encrypt));
});

test("of a header that can't be read the format alone, and the image is opened", async () => {
  make("");
  const bytes = readFileSync(path);
  const at = bytes.indexOf(Buffer.from("LUKS\xba\xbe", "latin1"));
  bytes[at + 7] = 2;
  writeFileSync(path, bytes);
  expect(await ours()).toEqual({ format: "luks" });
  writeFileSync(path, bytes.subarray(0, at + 591));
  expect(await ours()).toEqual({ format: "luks" });
});
