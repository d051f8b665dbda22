/** INPLACE_QEMU_BIN puts another QEMU before the system's, whole or not at all. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pathWithChosenQemu } from "../../scripts/chosen-qemu.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chosen-qemu-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("without a choice PATH stays as it is", () => {
  expect(pathWithChosenQemu("/usr/bin:/bin", undefined)).toBe("/usr/bin:/bin");
  expect(pathWithChosenQemu("/usr/bin:/bin", "")).toBe("/usr/bin:/bin");
});

test("a folder that lacks a program is refused: the system's would be asked unseen", () => {
  for (const program of ["qemu-img", "qemu-io"]) {
    writeFileSync(join(folder, program), "#!/bin/sh\n");
    chmodSync(join(folder, program), 0o755);
  }
  expect(() => pathWithChosenQemu("/usr/bin", folder)).toThrow(/^Cannot ask the QEMU in .*: it has no qemu-nbd$/);
  writeFileSync(join(folder, "qemu-nbd"), "not to be run");
  expect(() => pathWithChosenQemu("/usr/bin", folder)).toThrow(/qemu-nbd/);
});

test("the chosen one goes first, once", () => {
  chmodSync(join(folder, "qemu-nbd"), 0o755);
  const path = `${folder}:/usr/bin:/bin`;
  expect(pathWithChosenQemu("/usr/bin:/bin", folder)).toBe(path);
  expect(pathWithChosenQemu(path, folder)).toBe(path);
});
