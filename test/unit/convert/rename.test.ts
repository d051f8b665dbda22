/** A finished image's new name: nothing is replaced, and the undo comes along. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { unfinished } from "../../../src/convert/reading/unfinished.ts";
import { refuseTakenName, renameImage } from "../../../src/convert/rename.ts";
import { thisHost } from "../../../src/convert/session/host.ts";
import { FileVolume } from "../../../src/storage/file/file-volume.ts";
import { makeSmallDemoQed } from "../../support/demo-qed.ts";

let folder: string;
let from: string;
let to: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-rename-"));
  [from, to] = [join(folder, "disk.qed"), join(folder, "disk.qcow2")];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const names = () => readdirSync(folder).sort();

test("the image has the new name alone", async () => {
  writeFileSync(from, "image");
  await renameImage(from, to);
  expect(names()).toEqual(["disk.qcow2"]);
  expect(readFileSync(to, "utf8")).toBe("image");
});

test.each(["", ".inplace-journal", ".inplace-undo", ".inplace-lock"])("refused where NEW%s exists", async (suffix) => {
  writeFileSync(from, "image");
  writeFileSync(`${to}${suffix}`, "another's");
  await expect(refuseTakenName(from, to)).rejects.toMatchObject({ kind: "in-use" });
  await expect(renameImage(from, to)).rejects.toMatchObject({ kind: "in-use" });
  expect(names()).toEqual(["disk.qed", `disk.qcow2${suffix}`].sort());
  expect(readFileSync(`${to}${suffix}`, "utf8")).toBe("another's");
});

test("a file that takes the name at the last moment is not replaced", async () => {
  writeFileSync(from, "image");
  const volume = new (class extends FileVolume {
    override async facts(path: string) {
      const facts = await super.facts(path);
      if (path === to) writeFileSync(to, "another's");
      return facts;
    }
  })();
  await expect(renameImage(from, to, { ...thisHost(), volume })).rejects.toMatchObject({ kind: "in-use" });
  expect(readFileSync(to, "utf8")).toBe("another's");
  expect(names()).toEqual(["disk.qcow2", "disk.qed"]);
});

test("where the rename fails, the name that was taken for it is given back", async () => {
  writeFileSync(from, "image");
  const volume = new (class extends FileVolume {
    override async rename(): Promise<void> {
      throw new Error("no");
    }
  })();
  await expect(renameImage(from, to, { ...thisHost(), volume })).rejects.toThrow("no");
  expect(names()).toEqual(["disk.qed"]);
});

test("a new name that leaves no room for an undo's is refused, and the image keeps its own", async () => {
  const long = join(folder, `${"n".repeat(232)}.qcow2`);
  from = join(folder, `${"n".repeat(232)}.qed`);
  await makeSmallDemoQed(from);
  await convert(from, "qcow2", { keepUndo: true });
  const before = names();
  await expect(refuseTakenName(from, `${long}${"n".repeat(2)}`)).rejects.toMatchObject({ kind: "unsupported" });
  await expect(renameImage(from, `${long}${"n".repeat(2)}`)).rejects.toMatchObject({ kind: "unsupported" });
  expect(names()).toEqual(before);
  await renameImage(from, long);
  expect(await unfinished(long)).toBe("undo");
});

test("another folder is a wrong use", async () => {
  mkdirSync(join(folder, "sub"));
  writeFileSync(from, "image");
  await expect(renameImage(from, join(folder, "sub", "disk.qed"))).rejects.toMatchObject({ name: "UsageError" });
});

describe("with a conversion beside it", () => {
  beforeEach(async () => {
    await makeSmallDemoQed(from);
  });

  test("the undo comes along", async () => {
    await convert(from, "qcow2", { keepUndo: true });
    expect(await unfinished(from)).toBe("undo");
    await renameImage(from, to);
    expect(names()).toEqual(["disk.qcow2", "disk.qcow2.inplace-undo"]);
    expect(await unfinished(to)).toBe("undo");
    expect(await unfinished(from)).toBe("none");
  });

  test("refused while the conversion is open", async () => {
    const stop = new AbortController();
    const options = { signal: stop.signal, onJournal: () => stop.abort() };
    await expect(convert(from, "qcow2", options)).rejects.toMatchObject({ kind: "interrupted" });
    expect(await unfinished(from)).toBe("open");
    await expect(renameImage(from, to)).rejects.toMatchObject({ kind: "interrupted", operation: "rename" });
    expect(names()).toEqual(["disk.qed", "disk.qed.inplace-journal"]);
  });
});

test("a torn journal leaves nothing unfinished, and stays", async () => {
  await makeSmallDemoQed(from);
  expect(await unfinished(from)).toBe("none");
  writeFileSync(`${from}.inplace-journal`, "INPL");
  expect(await unfinished(from)).toBe("none");
  expect(names()).toEqual(["disk.qed", "disk.qed.inplace-journal"]);
});
