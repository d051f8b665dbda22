/** The undo as a copy that shares its space: on XFS and btrfs the old bytes come back, on ext4 nothing changes. */

import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { asRoot } from "../../scripts/tools.ts";
import { convert } from "../../src/convert/convert.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { renameImage } from "../../src/convert/rename.ts";
import { assertClean, assertSame, fileDigest, qemuIo, run } from "../support/qemu-tools.ts";

/** XFS takes no less. */
const DISK_BYTES = 320 * 2 ** 20;

/** Mounts a new file system for as long as `work` takes. Fails plainly where nothing may be mounted. */
async function mounted(make: readonly string[], work: (folder: string) => Promise<void>): Promise<void> {
  const privileged = asRoot();
  if (privileged === undefined)
    throw new Error(`Cannot test ${make[0]}: mounting needs root, or sudo without a password`);
  const scratch = await mkdtemp(join(tmpdir(), "inplace-reflink-"));
  const [disk, folder] = [join(scratch, "disk"), join(scratch, "mounted")];
  const privately = (...words: string[]) => {
    const [program, ...rest] = [...privileged, ...words] as [string, ...string[]];
    return execFileSync(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  };
  try {
    await mkdir(folder);
    await writeFile(disk, "");
    await truncate(disk, DISK_BYTES);
    const [program, ...words] = make as [string, ...string[]];
    await run(program, [...words, disk]);
    try {
      privately("mount", "-o", "loop", disk, folder);
    } catch (error) {
      throw new Error(`Cannot test ${program}: no loop device could be mounted here`, { cause: error });
    }
    try {
      privately("chown", `${process.getuid?.()}:${process.getgid?.()}`, folder);
      await work(folder);
    } finally {
      privately("umount", folder);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A qcow2 whose clusters lie in no order, and what its guest sees. */
async function makeImage(folder: string) {
  const [path, rawPath] = [join(folder, "disk.qcow2"), join(folder, "seen.raw")];
  await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", path, "6M"]);
  await qemuIo(
    path,
    "qcow2",
    Array.from({ length: 40 }, (_, at) => `write -P ${at + 1} ${((at * 37) % 96) * 64}k ${4 + (at % 5) * 8}k`),
  );
  await run("qemu-img", ["convert", "-O", "raw", path, rawPath]);
  await chmod(path, 0o640);
  // Another group than the folder's, where we may give it away.
  if (process.getuid?.() === 0) await chown(path, 12, 34);
  return { path, rawPath };
}

describe.each([
  ["mkfs.xfs", "-q"],
  ["mkfs.btrfs", "-q"],
])("%s %s", (...make) => {
  test("the old bytes come back, with owner and mode, and the copy goes with the undo", () =>
    mounted(make, async (folder) => {
      const { path, rawPath } = await makeImage(folder);
      const [before, facts] = [await fileDigest(path), await stat(path)];
      const report = await convert(path, "raw", { keepUndo: true });
      expect(report.notes.join("\n")).toMatch(/The undo keeps the old bytes in .*disk\.qcow2\.inplace-copy/);
      expect(report.peakExtraBytes).toBeGreaterThanOrEqual(facts.blocks * 512);
      await assertSame(path, "raw", rawPath);
      // The undo follows a new name, and its copy with it.
      const renamed = join(folder, "disk.raw");
      await renameImage(path, renamed);
      const { message } = await rollback(renamed);
      expect(message).toMatch(/put back byte for byte, from the copy/);
      expect(await fileDigest(renamed)).toBe(before);
      const { uid, gid, mode } = await stat(renamed);
      expect({ uid, gid, mode }).toEqual({ uid: facts.uid, gid: facts.gid, mode: facts.mode });
      await assertClean(renamed, "qcow2");
      const { changed } = await convert(renamed, "qcow2", {
        options: { lazy_refcounts: "on" },
        compact: true,
        keepUndo: true,
      });
      expect(changed).toBe(true);
      expect(await readdir(folder)).toContain("disk.raw.inplace-copy");
      await resume(renamed);
      await assertSame(renamed, "qcow2", rawPath);
      expect((await readdir(folder)).sort()).toEqual(["disk.raw", "seen.raw"]);
    }));
});

test("a file system that copies nothing for nothing: the same guest comes back, and that is said", () =>
  mounted(["mkfs.ext4", "-q"], async (folder) => {
    const { path, rawPath } = await makeImage(folder);
    const { notes } = await convert(path, "raw", { keepUndo: true });
    expect(notes.join("\n")).toMatch(/not the old bytes: the file system copies no file for nothing/);
    const { message } = await rollback(path);
    expect(message).toMatch(/converted back/);
    await assertSame(path, "qcow2", rawPath);
    await assertClean(path, "qcow2");
  }));
