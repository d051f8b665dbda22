/** What `info` tells of a LUKS header, against qemu-img's own words. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { info, kebabKeys } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "inplace-convert-luks-"));
const path = join(folder, "disk.qcow2");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("of an image that qemu-img encrypted", async () => {
  const secret = ["--object", "secret,id=s,data=abc"];
  const options = "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10,encrypt.hash-alg=sha512";
  execFileSync("qemu-img", ["create", "-q", ...secret, "-f", "qcow2", "-o", options, path, "4M"]);
  const text = execFileSync("qemu-img", ["info", "--output=json", path], { encoding: "utf8" });
  const { encrypt } = JSON.parse(text)["format-specific"].data;
  const found = JSON.parse(JSON.stringify(kebabKeys(await info(path))))["format-specific"].data.encrypt;
  // 7.2 doesn't tell that yet.
  if (encrypt["detached-header"] === undefined) delete found["detached-header"];
  expect(found).toEqual(encrypt);
  expect(Object.keys(found)).toEqual(Object.keys(encrypt));
});
