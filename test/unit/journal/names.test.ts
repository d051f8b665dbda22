/** The names beside an image, and those of --journal: looked at before the first write, so that none fails later. */

import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ImageError, UsageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { unfinished } from "../../../src/convert/reading/unfinished.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { isJournalName, journalNamesOf, type NameLimits, refuseLongNames } from "../../../src/journal/names.ts";
import { makeSmallDemoQed } from "../../support/demo-qed.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-names-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function failureOf(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

/** Stops a conversion once its journal is there. */
async function stopped(image: string, more: ConvertOptions = {}): Promise<unknown> {
  const stop = new AbortController();
  const onProgress = () => stop.abort();
  return failureOf(convert(image, "qcow2", { ...more, checksum: "none", signal: stop.signal, onProgress }));
}

/** Of all that lies in the folder, and below it. */
function contents(): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), "latin1")]),
  );
}

describe("lengths", () => {
  const LINUX: NameLimits = { name: 255, path: 4095, unit: "bytes" };
  const WINDOWS: NameLimits = { name: 255, path: 32_766, unit: "UTF-16 units" };
  const tooLong = expect.objectContaining({
    kind: "unsupported",
    message: expect.stringMatching(/too long.*nothing was written$/),
  });

  test("no name that we make beside an image is longer than its journal's", () => {
    const { journal, ...others } = journalNamesOf("disk");
    for (const name of Object.values(others)) expect(name.length).toBeLessThanOrEqual(journal.length);
  });

  test("are counted in bytes, but on Windows", () => {
    expect(() => refuseLongNames("a".repeat(239), undefined, LINUX)).not.toThrow();
    expect(() => refuseLongNames("a".repeat(240), undefined, LINUX)).toThrow(tooLong);
    expect(() => refuseLongNames("ü".repeat(119), undefined, LINUX)).not.toThrow();
    expect(() => refuseLongNames("ü".repeat(120), undefined, LINUX)).toThrow(tooLong);
    expect(() => refuseLongNames("ü".repeat(239), undefined, WINDOWS)).not.toThrow();
    expect(() => refuseLongNames("ü".repeat(240), undefined, WINDOWS)).toThrow(tooLong);
  });

  test("of the folders too", () => {
    const deep = (length: number) => `${"d/".repeat(Math.floor((length - 4) / 2))}disk`.padEnd(length, "k");
    expect(() => refuseLongNames(deep(4095 - 16), undefined, LINUX)).not.toThrow();
    expect(() => refuseLongNames(deep(4095 - 15), undefined, LINUX)).toThrow(tooLong);
    expect(() => refuseLongNames("disk", deep(4095 - 14), LINUX)).not.toThrow();
    expect(() => refuseLongNames("disk", deep(4095 - 13), LINUX)).toThrow(tooLong);
  });

  test("of another place, with its draft's", () => {
    expect(() => refuseLongNames("disk", `far/${"j".repeat(241)}`, LINUX)).not.toThrow();
    expect(() => refuseLongNames("disk", `far/${"j".repeat(242)}`, LINUX)).toThrow(tooLong);
  });

  // 236 to 240 bytes could be committed, and then neither be finished nor put back.
  test.runIf(process.platform !== "win32").each([235, 236, 237, 238, 239])(
    "an image's name of %i bytes: stopped, planned anew, finished, rolled back, a dead owner's lock taken over",
    async (length) => {
      const image = join(folder, "ü".repeat(10).padEnd(length - 10, "n"));
      expect(Buffer.byteLength(image.slice(folder.length + 1))).toBe(length);
      await makeSmallDemoQed(image);
      const before = readFileSync(image);
      expect(await stopped(image)).toMatchObject({ kind: "interrupted" });
      writeFileSync(journalNamesOf(image).lock, "");
      await resume(image);
      expect((await check(image)).format).toBe("qcow2");
      await makeSmallDemoQed(join(folder, "again"));
      renameSync(join(folder, "again"), image);
      await convert(image, "qcow2", { keepUndo: true });
      await rollback(image);
      expect(readFileSync(image).equals(before)).toBe(true);
      expect(readdirSync(folder)).toHaveLength(1);
    },
  );

  test.runIf(process.platform !== "win32").each([240, 243, 255])(
    "an image's name of %i bytes is refused in our words, and read",
    async (length) => {
      const image = join(folder, "n".repeat(length));
      const short = join(folder, "short");
      await makeSmallDemoQed(short);
      renameSync(short, image);
      const before = contents();
      for (const command of [
        () => convert(image, "qcow2"),
        () => check(image, { repair: "all" }),
        () => resume(image),
        () => rollback(image),
      ]) {
        expect(await failureOf(command())).toEqual(tooLong);
        expect(contents()).toEqual(before);
      }
      expect((await check(image)).verdict).toBe("clean");
      expect(await unfinished(image)).toBe("none");
    },
  );
});

describe("--journal", () => {
  let image: string;
  beforeEach(async () => {
    image = join(folder, "vm", "disk.qed");
    mkdirSync(join(folder, "vm"));
    await makeSmallDemoQed(image);
  });

  /** Refused as a wrong use, or as what stands in the way, before anything is written. */
  async function refused(journal: string, expected: unknown): Promise<void> {
    const before = contents();
    for (const command of [
      () => convert(image, "qcow2", { journal }),
      () => check(image, { repair: "all", journal }),
    ]) {
      expect(await failureOf(command())).toEqual(expected);
    }
    expect(contents()).toEqual(before);
  }
  const wrong = expect.any(UsageError);
  const inUse = expect.objectContaining({ kind: "in-use" });

  test.each(["", ".inplace-undo", ".inplace-lock", ".inplace-draft", ".inplace-old"])(
    "is not the image's own name%s, however it is spelled",
    async (suffix) => {
      symlinkSync("vm", join(folder, "link"));
      await refused(`${image}${suffix}`, wrong);
      await refused(join(folder, "link", `disk.qed${suffix}`), wrong);
      await refused(`${folder}/vm/../link/./disk.qed${suffix}`, wrong);
      // One file where a file system takes no notice of case.
      await refused(join(folder, "vm", `DISK.qed${suffix}`), wrong);
    },
  );

  test("is not a name that belongs to another image", async () => {
    for (const suffix of [".inplace-journal", ".inplace-undo", ".inplace-lock", ".inplace-draft", ".INPLACE-JOURNAL"]) {
      expect(isJournalName(`other${suffix}`)).toBe(true);
      await refused(join(folder, "vm", `other.img${suffix}`), wrong);
    }
  });

  test("is not what is there already, a link, a folder, no name", async () => {
    const there = join(folder, "there");
    writeFileSync(there, "someone's");
    mkdirSync(join(folder, "folder"));
    symlinkSync("nowhere", join(folder, "dangling"));
    symlinkSync("vm/disk.qed", join(folder, "to-image"));
    linkSync(there, join(folder, "hard"));
    for (const name of ["there", "hard", "dangling", "to-image"]) await refused(join(folder, name), inUse);
    for (const name of [`${folder}/folder`, `${folder}/new/`, `${folder}/vm/.`, `${folder}/vm/..`, "", "a\0b"]) {
      await refused(name, wrong);
    }
  });

  test("whose draft's name is taken is refused: it would be replaced", async () => {
    writeFileSync(join(folder, "journal.inplace-draft"), "someone's");
    await refused(join(folder, "journal"), inUse);
    writeFileSync(join(folder, "mine-new"), "someone's");
    await stopped(image, { journal: join(folder, "mine") });
    await resume(image);
    expect(readFileSync(join(folder, "mine-new"), "utf8")).toBe("someone's");
  });

  test("is in a folder that is there", async () => {
    await refused(join(folder, "missing", "journal"), expect.objectContaining({ kind: "io" }));
    await refused(join(image, "journal"), expect.any(ImageError));
  });

  test("with the usual name through a link is the usual journal", async () => {
    symlinkSync("vm", join(folder, "link"));
    await stopped(image, { journal: join(folder, "link", "disk.qed.inplace-journal") });
    expect(readdirSync(join(folder, "vm")).sort()).toEqual(["disk.qed", "disk.qed.inplace-journal"]);
    await resume(image);
    expect(readdirSync(join(folder, "vm"))).toEqual(["disk.qed"]);
  });

  test("through linked folders at other depths is found by every path", async () => {
    mkdirSync(join(folder, "deep/er/down"), { recursive: true });
    mkdirSync(join(folder, "journals"));
    symlinkSync(join(folder, "vm"), join(folder, "deep/er/down/vm"));
    symlinkSync(join(folder, "journals"), join(folder, "deep/journals"));
    const linked = join(folder, "deep/er/down/vm/disk.qed");
    const places = [join(folder, "journals", "j"), join(folder, "deep/journals/j")];
    for (const made of [image, linked]) {
      for (const found of [image, linked]) {
        for (const journal of places) {
          await stopped(made, { journal });
          expect(existsSync(journal)).toBe(true);
          expect(await unfinished(found)).toBe("open");
          await rollback(found);
          expect(existsSync(journal)).toBe(false);
          expect(readdirSync(join(folder, "vm"))).toEqual(["disk.qed"]);
        }
      }
    }
  });

  test("goes along where image and journal are moved together", async () => {
    mkdirSync(join(folder, "before", "a"), { recursive: true });
    renameSync(join(folder, "vm"), join(folder, "before", "a", "vm"));
    mkdirSync(join(folder, "before", "journals"));
    const at = (root: string) => join(folder, root, "a", "vm", "disk.qed");
    await stopped(at("before"), { journal: join(folder, "before", "journals", "j") });
    renameSync(join(folder, "before"), join(folder, "after"));
    expect(await unfinished(at("after"))).toBe("open");
    await resume(at("after"));
    expect(Object.keys(contents())).toEqual([at("after")]);
  });
});
