import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  closeBackingFiles,
  MAX_BACKING_DEPTH,
  openBackingChain,
} from "../../../../src/convert/inspect/backing-chain.ts";
import { openImage } from "../../../../src/formats/registry.ts";
import { FileVolume } from "../../../../src/storage/file/file-volume.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { Storage, Volume } from "../../../../src/storage/storage.ts";
import { buildQcow2Layer, type Qcow2LayerDescription } from "../../../formats/qcow2/layer.ts";

const SIZE = 4096;
const base = buildQcow2Layer({ virtualSize: SIZE, data: { 1: 0x61 } });

function over(backingName: string | Uint8Array, more: Partial<Qcow2LayerDescription> = {}): Uint8Array {
  return buildQcow2Layer({ virtualSize: SIZE, backingName, backingFormat: "qcow2", ...more });
}

async function pathsBelow(volume: Volume, path: string): Promise<string[]> {
  const storage = await volume.openForReading(path);
  try {
    const chain = await openBackingChain(volume, await openImage(storage));
    await closeBackingFiles(chain);
    return chain.slice(1).map((image) => image.storage.path);
  } finally {
    await storage.close();
  }
}

const ESCAPE = String.fromCharCode(0x1b);

describe("openBackingChain", () => {
  test("an image without a backing file is its own chain", async () => {
    expect(await pathsBelow(new MemoryVolume({ base }), "base")).toEqual([]);
  });

  test("follows relative names, each from the folder of the image that names it", async () => {
    const volume = new MemoryVolume({
      "vm/top": over("layers/middle"),
      "vm/layers/middle": over("./deep/bottom"),
      "vm/layers/deep/bottom": base,
    });
    expect(await pathsBelow(volume, "vm/top")).toEqual(["vm/layers/middle", "vm/layers/deep/bottom"]);
  });

  test.each([
    ["an absolute name", "/vm/base", /the name is absolute/],
    ["a device", "/dev/sda", /the name is absolute/],
    ["a Windows path", "\\\\server\\share\\base", /the name is absolute/],
    ["a drive", "C:base", /goes to a protocol/],
    ["json:", 'json:{"driver":"raw"}', /goes to a protocol/],
    ["nbd:", "nbd:localhost:10809", /goes to a protocol/],
    ["https:", "https://example.org/base", /goes to a protocol/],
    ["file:", "file:base", /goes to a protocol/],
    ["the folder above", "../base", /lies outside the image's folder; move it into vm/],
    ["a way out and in", "layers/../../base", /lies outside the image's folder/],
    ["a NUL", "base\0.raw", /holds a NUL/],
    ["no UTF-8", Uint8Array.from([0x62, 0xff, 0x61]), /is no UTF-8/],
    ["itself", "top", /leads back to a file that is in it already/],
    ["itself by a detour", "./layers/../top", /leads back to a file/],
  ])("refuses %s", async (_what, name, reason) => {
    const volume = new MemoryVolume({ "vm/top": over(name), "vm/base": base, base, "vm/layers/x": base });
    await expect(pathsBelow(volume, "vm/top")).rejects.toMatchObject({
      name: "ImageError",
      kind: "unsupported",
      path: "vm/top",
      message: expect.stringMatching(/^Cannot follow the backing file ".*" of vm\/top: /),
    });
    await expect(pathsBelow(volume, "vm/top")).rejects.toThrow(reason);
  });

  test("refuses to guess a format, though the file is there", async () => {
    const top = buildQcow2Layer({ virtualSize: SIZE, backingName: "base" });
    const volume = new MemoryVolume({ top, base });
    await expect(pathsBelow(volume, "top")).rejects.toThrow(/its format is not given, and guessing it is unsafe/);
  });

  test("opens the file as the format that was named, whatever it looks like", async () => {
    const volume = new MemoryVolume({ "vm/top": over("base", { backingFormat: "raw" }), "vm/base": base });
    const storage = await volume.openForReading("vm/top");
    const [, below] = await openBackingChain(volume, await openImage(storage));
    expect(below).toMatchObject({ format: "raw", virtualSize: base.length });
    const wrong = new MemoryVolume({ top: over("base", { backingFormat: "qed" }), base });
    await expect(pathsBelow(wrong, "top")).rejects.toMatchObject({ name: "ImageError" });
    const unknown = new MemoryVolume({ top: over("base", { backingFormat: "dmg" }), base });
    await expect(pathsBelow(unknown, "top")).rejects.toMatchObject({ kind: "unsupported" });
  });

  test("goes ten files deep and no further", async () => {
    const files: Record<string, Uint8Array> = { "0": base };
    for (let depth = 1; depth <= MAX_BACKING_DEPTH + 1; depth++) files[depth] = over(`${depth - 1}`);
    const volume = new MemoryVolume(files);
    expect(await pathsBelow(volume, `${MAX_BACKING_DEPTH}`)).toHaveLength(MAX_BACKING_DEPTH);
    await expect(pathsBelow(volume, `${MAX_BACKING_DEPTH + 1}`)).rejects.toThrow(/longer than 10 files/);
  });

  test("a circle ends", async () => {
    const volume = new MemoryVolume({ a: over("b"), b: over("c"), c: over("a") });
    await expect(pathsBelow(volume, "a")).rejects.toThrow(/of c: the chain leads back to a file that is in it already/);
  });

  test("a name can't steer a terminal through the message", async () => {
    const volume = new MemoryVolume({ top: over(`/${ESCAPE}[2J`) });
    await expect(pathsBelow(volume, "top")).rejects.toThrow(/^[^\p{Cc}]*$/u);
  });

  test("notices a file that was put in the place of the one it looked at", async () => {
    const volume = new MemoryVolume({ top: over("link"), base, secret: base });
    // A link that leads to the base when it is looked at, and elsewhere when it is opened.
    const real = volume.realPath.bind(volume);
    volume.realPath = async (path) => (path === "link" ? "base" : real(path));
    const open = volume.openForReading.bind(volume);
    volume.openForReading = (path) => open(path === "base" ? "secret" : path);
    await expect(pathsBelow(volume, "top")).rejects.toMatchObject({ kind: "changed-underneath" });
  });

  test("says whose backing file is missing, and what to do", async () => {
    const volume = new MemoryVolume({ "vm/top": over("gone") });
    await expect(pathsBelow(volume, "vm/top")).rejects.toThrow(
      /vm.gone: .*; put it back there, since vm.top names it as its backing file$/,
    );
  });

  test("closes what it opened when a file further down is missing", async () => {
    const volume = new MemoryVolume({ top: over("middle"), middle: over("gone") });
    const opened: Storage[] = [];
    const open = volume.openForReading.bind(volume);
    volume.openForReading = async (path) => {
      const storage = await open(path);
      opened.push(storage);
      return storage;
    };
    const image = await openImage(await volume.openForReading("top"));
    await expect(openBackingChain(volume, image)).rejects.toMatchObject({ kind: "io" });
    const isOpen = (storage: Storage) =>
      storage.size().then(
        () => true,
        () => false,
      );
    expect(await Promise.all(opened.map(isOpen))).toEqual([true, false]);
  });
});

describe("on disk", () => {
  let folder: string;
  const volume = new FileVolume();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "backing-chain-"));
    await mkdir(join(folder, "vm"));
    await writeFile(join(folder, "vm/top"), over("link"));
    await writeFile(join(folder, "vm/base"), base);
    await writeFile(join(folder, "secret"), base);
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("a link inside the folder is followed to what it names", async () => {
    await symlink("base", join(folder, "vm/link"));
    expect(await pathsBelow(volume, join(folder, "vm/top"))).toEqual([await volume.realPath(join(folder, "vm/base"))]);
  });

  test.each(["../secret", "/etc/hostname", "/dev/null"])("a link to %s is not", async (target) => {
    await symlink(target, join(folder, "vm/link"));
    await expect(pathsBelow(volume, join(folder, "vm/top"))).rejects.toThrow(/lies outside the image's folder/);
  });

  test("nor is a linked folder", async () => {
    await mkdir(join(folder, "elsewhere"));
    await writeFile(join(folder, "elsewhere/base"), base);
    await symlink("../elsewhere", join(folder, "vm/layers"));
    await writeFile(join(folder, "vm/top"), over("layers/base"));
    await expect(pathsBelow(volume, join(folder, "vm/top"))).rejects.toThrow(/lies outside the image's folder/);
  });

  test("an image reached through a link has its backing file beside itself, not beside the link", async () => {
    await writeFile(join(folder, "vm/top"), over("base"));
    await symlink("vm/top", join(folder, "link-to-top"));
    expect(await pathsBelow(volume, join(folder, "link-to-top"))).toHaveLength(1);
  });

  test("what is no regular file is refused", async () => {
    await mkdir(join(folder, "vm/link"));
    await expect(pathsBelow(volume, join(folder, "vm/top"))).rejects.toMatchObject({ kind: "unsupported" });
  });
});
