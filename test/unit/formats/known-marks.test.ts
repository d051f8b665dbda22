/** Every mark of the table: told, never advised to be taken for raw, and refused as raw unless that is said twice. */

import { describe, expect, test } from "vitest";
import { knownMarks } from "../../../src/formats/known-marks.ts";
import { adviceOn } from "../../../src/formats/mark-advice.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { findStranger } from "../../../src/formats/strangers.ts";
import { memoryStorage } from "../../../src/storage/memory.ts";
import { kits } from "../../formats/kits.ts";

const SIZE = 64 * 1024;
const probed = kits.filter(({ isProbed }) => isProbed);

function bearing(bytes: string, hostOffset: number): Uint8Array<ArrayBuffer> {
  const file = Buffer.alloc(SIZE);
  file.write(bytes, hostOffset < 0 ? SIZE + hostOffset : hostOffset, "latin1");
  return new Uint8Array(file);
}

const magicOf = (file: Uint8Array): string => Buffer.from(file.subarray(0, 4)).toString("latin1");

describe.each(knownMarks.map((mark) => [mark.name, mark.hostOffset, mark] as const))("%s at %d", (name, at, mark) => {
  const bytes = bearing(mark.bytes, at);

  test("is told, with what to do, and -f raw is not advised", async () => {
    const error = await openImage(memoryStorage(bytes, "disk.img")).catch((error) => error);
    expect(error).toMatchObject({ name: "ImageError", kind: "unsupported", path: "disk.img" });
    expect(error.message).toBe(`Cannot open disk.img: it is ${name}; ${adviceOn(mark)}`);
    expect(error.message).not.toMatch(/it is raw|with -f raw/);
  });

  test("is no raw disk unless that is said twice", async () => {
    const storage = memoryStorage(bytes, "disk.img");
    await expect(openImage(storage, "raw")).rejects.toMatchObject({
      kind: "unsupported",
      message: `Cannot take disk.img for raw: it is ${name}; ${adviceOn(mark)}, or take its own bytes for the disk with --allow-marked-raw`,
    });
    expect((await openImage(storage, "raw", { allowMarkedRaw: true })).virtualSize).toBe(SIZE);
  });

  test("is told also where another format was named", async () => {
    // A qcow of version 1 begins as a qcow2 does: that one refuses the version.
    const others = probed.filter(({ build }) => magicOf(build({ virtualSize: 512, data: [] })) !== magicOf(bytes));
    expect(others).not.toEqual([]);
    for (const { name: format } of others) {
      const error = await openImage(memoryStorage(bytes, "disk.img"), format).catch((error) => error);
      expect(error.message, format).toContain(`it is ${name}: ${adviceOn(mark)}`);
    }
  });

  test("is not seen where one byte of it is another", async () => {
    for (let index = 0; index < mark.bytes.length; index++) {
      const other = bearing(mark.bytes, at);
      const place = (at < 0 ? SIZE + at : at) + index;
      other[place] = (other[place] ?? 0) ^ 0x80;
      expect(await findStranger(memoryStorage(other))).toBeUndefined();
    }
  });
});

test.each(probed)("our own formats are no raw disks either: $title", async ({ name, build }) => {
  const storage = memoryStorage(build({ virtualSize: 4096, data: [] }), "disk.img");
  await expect(openImage(storage, "raw")).rejects.toThrow(
    `Cannot take disk.img for raw: it is ${name === "ova" ? "an" : "a"} ${name} image; name it with -f ${name}, or take its own bytes`,
  );
});

test.each([
  ["\xef\xbb\xbf\r\n  <!DOCTYPE HTML>", "a web page (HTML)"],
  ["\n<HTML lang=en>", "a web page (HTML)"],
  ["  <?XML version='1.0'?>", "an XML document"],
])("text begins with space and a mark of byte order or not, in any case: %j", async (text, name) => {
  expect(await findStranger(memoryStorage(Buffer.from(text, "latin1")))).toMatchObject({ name });
});

test("a disk with a boot sector, a GPT and zeros bears no mark", async () => {
  const disk = new Uint8Array(SIZE);
  disk.set([0xeb, 0x63, 0x90]);
  disk.set([0x55, 0xaa], 510);
  disk.set(Buffer.from("EFI PART"), 512);
  disk.set(Buffer.from("EFI PART"), SIZE - 512);
  expect(await findStranger(memoryStorage(disk))).toBeUndefined();
  expect((await openImage(memoryStorage(disk), "raw")).virtualSize).toBe(SIZE);
});

test.each([0, 1, 2, 3, 255, 511, 512, 513])("a file of %d bytes is no trouble", async (size) => {
  expect(await findStranger(memoryStorage(new Uint8Array(size).fill(0x41)))).toBeUndefined();
});

test("an empty file is called empty", async () => {
  await expect(openImage(memoryStorage(new Uint8Array(0), "disk"))).rejects.toMatchObject({
    kind: "not-this-format",
    message: "Cannot open disk: it is empty, a file of 0 bytes; look at what should have filled it",
  });
});
