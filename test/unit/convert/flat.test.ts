/** Flat VMDKs on a real file system: which files are opened, which names come and go, and what is left alone. */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import { checksum } from "../../../src/convert/reading/checksum.ts";
import { info } from "../../../src/convert/reading/info.ts";
import { map } from "../../../src/convert/reading/map.ts";
import { unfinished } from "../../../src/convert/reading/unfinished.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { renameImage } from "../../../src/convert/rename.ts";
import { thisHost } from "../../../src/convert/session/host.ts";
import { Lock } from "../../../src/journal/lock.ts";
import { FileVolume } from "../../../src/storage/file/file-volume.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { guestBytesOf } from "../../formats/guest-contents.ts";
import { buildWithGuest } from "../../formats/qcow2/any-image.ts";
import { buildDescriptor, buildFlat, flatExtent } from "../../formats/vmdk/builder.ts";

const GUEST = { virtualSize: 16 * 4096, data: [0, 1, 5], zero: [3] };
const DISK = Buffer.from(guestBytesOf(GUEST));
const FLAT = { subformat: "monolithicFlat" };

let folder: string;
const at = (name: string) => join(folder, name);
const names = () => readdirSync(folder).sort();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-flat-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(text = "disk.vmdk", disk = "disk-flat.vmdk"): void {
  const built = buildFlat(GUEST, disk);
  writeFileSync(at(text), built.text);
  writeFileSync(at(disk), built.disk);
}

/** What every command says of an image that may not be opened, with nothing touched. */
async function expectRefused(name: string, says: RegExp): Promise<void> {
  const before = names().map((each) => [each, statSync(at(each), { throwIfNoEntry: false })?.mtimeMs]);
  const looks = [info, map, checksum, (path: string) => convert(path, "raw"), (path: string) => convert(path, "qcow2")];
  for (const look of looks) {
    const error: unknown = await look(at(name)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "ImageError", message: expect.stringMatching(says) });
  }
  expect(names().map((each) => [each, statSync(at(each), { throwIfNoEntry: false })?.mtimeMs])).toEqual(before);
}

describe("a descriptor opens a plain name beside it and nothing else", () => {
  test("no link, wherever it leads", async () => {
    writeFileSync(at("elsewhere.raw"), DISK);
    symlinkSync("elsewhere.raw", at("disk-flat.vmdk"));
    writeFileSync(at("disk.vmdk"), buildFlat(GUEST, "disk-flat.vmdk").text);
    await expectRefused("disk.vmdk", /is no regular file/);
  });

  test("no pipe, no folder", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    mkdirSync(at("folder"));
    for (const name of ["pipe", "folder"]) {
      writeFileSync(at("disk.vmdk"), buildFlat(GUEST, name).text);
      await expectRefused("disk.vmdk", /is no regular file/);
    }
  });

  test("not itself by a second name, and no journal", async () => {
    const text = Buffer.concat([buildDescriptor({ extents: [flatExtent("disk.raw", 1)] }), Buffer.alloc(512)]);
    writeFileSync(at("disk.vmdk"), text);
    linkSync(at("disk.vmdk"), at("disk.raw"));
    await expectRefused("disk.vmdk", /holds its disk itself/);
    rmSync(at("disk.raw"));
    writeFileSync(at("other.inplace-journal"), DISK);
    writeFileSync(at("disk.vmdk"), buildFlat(GUEST, "other.inplace-journal").text);
    await expectRefused("disk.vmdk", /is no regular file/);
  });

  test("where it is not there, that is said", async () => {
    writeFileSync(at("disk.vmdk"), buildFlat(GUEST, "gone.raw").text);
    await expectRefused("disk.vmdk", /gone.raw, which it says holds its disk, is not there/);
  });

  test("a linked descriptor is read, and not converted", async () => {
    put();
    symlinkSync("disk.vmdk", at("link.vmdk"));
    expect((await info(at("link.vmdk"))).virtualSize).toBe(DISK.length);
    await expect(convert(at("link.vmdk"), "raw")).rejects.toMatchObject({ message: expect.stringContaining("link") });
    expect(names()).toEqual(["disk-flat.vmdk", "disk.vmdk", "link.vmdk"]);
  });

  test("with -f raw its own bytes are the disk only where that is said twice", async () => {
    put();
    await expect(info(at("disk.vmdk"), { format: "raw" })).rejects.toMatchObject({ kind: "unsupported" });
    const own = await info(at("disk.vmdk"), { format: "raw", allowMarkedRaw: true });
    expect(own.virtualSize).toBe(statSync(at("disk.vmdk")).size);
  });
});

describe("names that come and go", () => {
  test("to raw the descriptor goes, and back the very same comes again", async () => {
    put();
    const text = readFileSync(at("disk.vmdk"));
    const report = await convert(at("disk.vmdk"), "raw", { keepUndo: true });
    expect(report).toMatchObject({ image: at("disk.vmdk"), imageAfter: at("disk-flat.vmdk"), changed: true });
    expect(names()).toEqual(["disk-flat.vmdk", "disk-flat.vmdk.inplace-undo"]);
    expect(readFileSync(at("disk-flat.vmdk")).equals(DISK)).toBe(true);
    expect(await unfinished(at("disk.vmdk"))).toBe("undo");
    const called = { image: at("disk-flat.vmdk"), imageAfter: at("disk.vmdk"), diskFile: at("disk-flat.vmdk") };
    expect(await rollback(at("disk.vmdk"))).toMatchObject({ ...called, format: "vmdk", sourceFormat: "vmdk" });
    expect(names()).toEqual(["disk-flat.vmdk", "disk.vmdk"]);
    expect(readFileSync(at("disk.vmdk")).equals(text)).toBe(true);
  });

  test("from raw it comes as readable as the disk, and its name is told beforehand", async () => {
    writeFileSync(at("disk.raw"), DISK);
    chmodSync(at("disk.raw"), 0o664);
    const options = { format: "raw", options: FLAT } as const;
    const foretold = await plan(at("disk.raw"), "vmdk", options);
    const report = await convert(at("disk.raw"), "vmdk", options);
    expect([foretold.report.imageAfter, report.imageAfter]).toEqual([at("disk.vmdk"), at("disk.vmdk")]);
    expect(statSync(at("disk.vmdk")).mode & 0o777).toBe(0o664);
    expect(names()).toEqual(["disk.raw", "disk.vmdk"]);
    expect(await check(at("disk.vmdk"))).toMatchObject({ exitCode: 0, format: "vmdk" });
    expect((await checksum(at("disk.vmdk"))).checksum).toBe(report.guestChecksum?.after);
    expect((await map(at("disk.vmdk"))).files).toEqual([at("disk.raw")]);
  });

  test("a name that is taken is refused, in the plan and in the run, and what bears it stays", async () => {
    writeFileSync(at("disk.raw"), DISK);
    writeFileSync(at("disk.vmdk"), "somebody's");
    const options = { format: "raw", options: FLAT } as const;
    expect((await plan(at("disk.raw"), "vmdk", options)).report.refused.join()).toContain("disk.vmdk exists");
    await expect(convert(at("disk.raw"), "vmdk", options)).rejects.toMatchObject({ kind: "in-use" });
    expect(names()).toEqual(["disk.raw", "disk.vmdk"]);
    expect(readFileSync(at("disk.vmdk"), "utf8")).toBe("somebody's");
  });

  test("a disk that has the name itself, or one that no descriptor could name, is refused", async () => {
    for (const [name, says] of [
      ["disk.vmdk", /the disk has that name itself/],
      ['di"sk.raw', /holds a quote/],
      ["di:sk.raw", /holds a colon/],
    ] as const) {
      writeFileSync(at(name), DISK);
      const error: unknown = await convert(at(name), "vmdk", { format: "raw", options: FLAT }).catch(
        (reason) => reason,
      );
      expect(error, name).toMatchObject({ name: "ImageError", message: expect.stringMatching(says) });
    }
  });

  test("taken at the last moment it is not replaced, and both commands go on", async () => {
    writeFileSync(at("disk.raw"), DISK);
    class Racing extends FileVolume {
      override async link(from: string, to: string): Promise<boolean> {
        writeFileSync(to, "somebody's", { flag: "wx" });
        return super.link(from, to);
      }
    }
    const host = { ...thisHost(), volume: new Racing() };
    const error: unknown = await convert(at("disk.raw"), "vmdk", { format: "raw", options: FLAT }, host).catch(
      (e) => e,
    );
    expect(error).toMatchObject({ kind: "in-use", journal: at("disk.raw.inplace-journal") });
    expect(readFileSync(at("disk.vmdk"), "utf8")).toBe("somebody's");
    await expect(resume(at("disk.raw"))).rejects.toMatchObject({ kind: "in-use" });
    await rollback(at("disk.raw"));
    expect(names()).toEqual(["disk.raw", "disk.vmdk"]);
    expect(readFileSync(at("disk.vmdk"), "utf8")).toBe("somebody's");
    expect(readFileSync(at("disk.raw")).equals(DISK)).toBe(true);
  });

  test.each(["text", "draft", "old", "copy", "undo"])("no descriptor has a name that is ours: %s", async (suffix) => {
    const name = `disk.raw.inplace-${suffix}`;
    writeFileSync(at("disk.raw"), DISK);
    const options = { ...FLAT, descriptor_name: Buffer.from(name).toString("hex") };
    const coming = { format: "raw", options, keepUndo: true };
    expect((await plan(at("disk.raw"), "vmdk", coming)).report.refused.join()).toContain("has a name that a journal");
    await expect(convert(at("disk.raw"), "vmdk", coming)).rejects.toMatchObject({ kind: "unsupported" });
    expect(names()).toEqual(["disk.raw"]);
    if (suffix === "undo") return;
    writeFileSync(at(name), buildFlat(GUEST, "disk.raw").text);
    expect((await plan(at(name), "raw")).report.refused.join()).toContain("has a name that a journal");
    await expect(convert(at(name), "raw")).rejects.toMatchObject({ kind: "unsupported" });
    await expect(resume(at(name))).rejects.toMatchObject({ kind: "unsupported" });
    expect(names()).toEqual(["disk.raw", name]);
  });

  test.each(["", "no descriptor", "# Disk DescriptorFile\n"])(
    "by either name recovery finds its way past %j",
    async (text) => {
      writeFileSync(at("disk.raw"), DISK);
      // As where a file has one name only, and the machine stops before the descriptor takes it.
      class Stopping extends FileVolume {
        override async link(_from: string, to: string): Promise<boolean> {
          writeFileSync(to, text, { flag: "wx" });
          throw new ImageError("interrupted", "the machine stops");
        }
      }
      const host = { ...thisHost(), volume: new Stopping() };
      await expect(convert(at("disk.raw"), "vmdk", { format: "raw", options: FLAT }, host)).rejects.toThrow("stops");
      await expect(resume(at("disk.vmdk"))).rejects.toMatchObject({ kind: "in-use" });
      await rollback(at("disk.vmdk"));
      expect(names()).toEqual(["disk.raw", "disk.vmdk"]);
      expect(readFileSync(at("disk.vmdk"), "utf8")).toBe(text);
    },
  );

  test("a descriptor that somebody rewrites meanwhile stays", async () => {
    put();
    const text = readFileSync(at("disk.vmdk"), "latin1").replace("99e73cb8", "00000001");
    const rewriting = { onJournal: () => writeFileSync(at("disk.vmdk"), text) };
    const error: unknown = await convert(at("disk.vmdk"), "raw", rewriting).catch((e) => e);
    expect(error).toMatchObject({ kind: "changed-underneath" });
    expect(readFileSync(at("disk.vmdk"), "latin1")).toBe(text);
    await resume(at("disk.vmdk"));
    expect(names()).toEqual(["disk-flat.vmdk"]);
  });

  test.each(["raw", "qcow2"])("a descriptor that was renamed since is not taken for gone: from %s", async (format) => {
    rmSync(at("disk.raw"), { force: true });
    writeFileSync(
      at("disk.raw"),
      format === "raw" ? DISK : buildWithGuest({ ...GUEST, clusterBits: 12, seed: 3 }).bytes,
    );
    await convert(at("disk.raw"), "vmdk", { format, options: FLAT, keepUndo: true });
    await renameImage(at("disk.vmdk"), at("other.vmdk"));
    const before = names();
    for (const name of ["disk.raw", "other.vmdk", "disk.vmdk"])
      for (const command of [resume, rollback])
        await expect(command(at(name))).rejects.toMatchObject({
          kind: "changed-underneath",
          message: expect.stringContaining("its descriptor disk.vmdk is gone, and other.vmdk says that it is its disk"),
        });
    expect(names()).toEqual(before);
    renameSync(at("other.vmdk"), at("disk.vmdk"));
    await rollback(at("disk.vmdk"));
    expect(names()).toEqual(["disk.raw"]);
  });

  test("a disk that was renamed since gets no descriptor that names another", async () => {
    put();
    await convert(at("disk.vmdk"), "raw", { keepUndo: true });
    renameSync(at("disk-flat.vmdk"), at("other.raw"));
    renameSync(at("disk-flat.vmdk.inplace-undo"), at("other.raw.inplace-undo"));
    await expect(rollback(at("other.raw"))).rejects.toMatchObject({
      message: expect.stringContaining("its file was renamed, by whose old name disk.vmdk speaks of it, since"),
    });
    expect(names()).toEqual(["other.raw", "other.raw.inplace-undo"]);
  });
});

describe("two descriptors of one disk", () => {
  beforeEach(() => {
    put();
    writeFileSync(at("second.vmdk"), buildFlat(GUEST, "disk-flat.vmdk").text);
  });

  test("the one that was named goes, the other still shows the disk", async () => {
    const before = await checksum(at("second.vmdk"));
    await convert(at("disk.vmdk"), "raw");
    expect(names()).toEqual(["disk-flat.vmdk", "second.vmdk"]);
    expect((await checksum(at("second.vmdk"))).checksum).toBe(before.checksum);
  });

  test("the disk is made nothing else while one is left that would show something else", async () => {
    const says = /second.vmdk says that it is its disk/;
    expect((await plan(at("disk.vmdk"), "qcow2")).report.refused.join()).toMatch(says);
    await expect(convert(at("disk.vmdk"), "qcow2")).rejects.toMatchObject({ message: expect.stringMatching(says) });
    await expect(convert(at("disk-flat.vmdk"), "qcow2", { format: "raw" })).rejects.toMatchObject({ kind: "in-use" });
    expect(names()).toEqual(["disk-flat.vmdk", "disk.vmdk", "second.vmdk"]);
    rmSync(at("second.vmdk"));
    await convert(at("disk.vmdk"), "qcow2");
    expect(names()).toEqual(["disk-flat.vmdk"]);
  });

  test.each([
    ["of VMware's own kind", "vmfs", 'RW 128 VMFS "disk-flat.vmdk"'],
    ["of several extents", "twoGbMaxExtentFlat", 'RW 128 FLAT "more.raw" 0\nRW 128 FLAT "disk-flat.vmdk" 0'],
    ["by a path", FLAT.subformat, 'RW 128 FLAT "./disk-flat.vmdk" 0'],
    ["by a whole path", FLAT.subformat, 'RW 128 FLAT "FOLDER/disk-flat.vmdk" 0'],
    ["by a link", FLAT.subformat, 'RW 128 FLAT "link.raw" 0'],
  ])("also one that names it as it can't be opened here: %s", async (_, createType, extent) => {
    symlinkSync("disk-flat.vmdk", at("link.raw"));
    writeFileSync(at("second.vmdk"), buildDescriptor({ createType, extents: [extent.replace("FOLDER", folder)] }));
    const says = /second.vmdk says that it is its disk/;
    expect((await plan(at("disk.vmdk"), "qcow2")).report.refused.join()).toMatch(says);
    await expect(convert(at("disk.vmdk"), "qcow2")).rejects.toMatchObject({ message: expect.stringMatching(says) });
    expect(readFileSync(at("disk-flat.vmdk")).equals(DISK)).toBe(true);
    writeFileSync(at("second.vmdk"), buildDescriptor({ createType, extents: ['RW 128 FLAT "../disk-flat.vmdk" 0'] }));
    expect((await convert(at("disk.vmdk"), "qcow2")).changed).toBe(true);
  });

  test("one that comes between a failure and resume is noticed too", async () => {
    rmSync(at("second.vmdk"));
    let journals = 0;
    const signal = new AbortController();
    const stopping = {
      signal: signal.signal,
      onJournal: () => {
        journals++;
        signal.abort();
      },
    };
    await expect(convert(at("disk.vmdk"), "qcow2", stopping)).rejects.toMatchObject({ kind: "interrupted" });
    expect(journals).toBe(1);
    writeFileSync(at("second.vmdk"), buildFlat(GUEST, "disk-flat.vmdk").text);
    await expect(resume(at("disk.vmdk"))).rejects.toMatchObject({ kind: "in-use", journal: expect.any(String) });
    rmSync(at("second.vmdk"));
    await resume(at("disk.vmdk"));
    expect(names()).toEqual(["disk-flat.vmdk"]);
  });

  test("of an image beside it no more is read than tells that it is no descriptor", async () => {
    rmSync(at("second.vmdk"));
    writeFileSync(at("large.vmdk"), Buffer.alloc(1024 * 1024));
    let most = 0;
    class Counting extends FileVolume {
      override async openForReading(path: string): Promise<Storage> {
        const storage = await super.openForReading(path);
        if (path !== at("large.vmdk")) return storage;
        const read = storage.read.bind(storage);
        storage.read = (hostOffset, into) => {
          most = Math.max(most, into.length);
          return read(hostOffset, into);
        };
        return storage;
      }
    }
    const host = { ...thisHost(), volume: new Counting() };
    expect((await plan(at("disk.vmdk"), "qcow2", {}, host)).report.refused).toEqual([]);
    expect(most).toBe(512);
  });

  test("no disk is renamed away from a descriptor, and none of them while the disk is locked", async () => {
    await convert(at("disk.vmdk"), "raw");
    const error: unknown = await renameImage(at("disk-flat.vmdk"), at("disk.raw")).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      kind: "in-use",
      message: expect.stringContaining("second.vmdk says that it is its"),
    });
    expect(names()).toEqual(["disk-flat.vmdk", "second.vmdk"]);
    const lock = await Lock.acquire(new FileVolume(), at("disk-flat.vmdk"), thisHost().processes);
    await expect(renameImage(at("second.vmdk"), at("third.vmdk"))).rejects.toMatchObject({ kind: "in-use" });
    await lock.release();
    await renameImage(at("second.vmdk"), at("third.vmdk"));
    expect(names()).toEqual(["disk-flat.vmdk", "third.vmdk"]);
  });

  test("both meet in one lock and one journal", async () => {
    await convert(at("disk.vmdk"), "vpc", { options: { subformat: "fixed" }, keepUndo: true }).catch(() => {});
    rmSync(at("second.vmdk"));
    await convert(at("disk.vmdk"), "raw", { keepUndo: true });
    writeFileSync(at("second.vmdk"), buildFlat(GUEST, "disk-flat.vmdk").text);
    await expect(convert(at("second.vmdk"), "raw")).rejects.toMatchObject({ kind: "interrupted" });
  });
});
