/** Copies inside a real file: the same as reads and writes would have made, from a quick medium and from a slow one. */

import { randomFillSync } from "node:crypto";
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KiB, MiB } from "../../../../src/bytes/align.ts";
import { inBatches } from "../../../../src/storage/copies.ts";
import { Copier } from "../../../../src/storage/file/copier.ts";
import { FileVolume } from "../../../../src/storage/file/file-volume.ts";
import type { FileCopy } from "../../../../src/storage/storage.ts";

let folder: string;
let path: string;
let bytes: Buffer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "copier-"));
  path = join(folder, "disk");
  bytes = randomFillSync(Buffer.alloc(5 * MiB + 700));
  writeFileSync(path, bytes);
});
afterEach(() => rmSync(folder, { recursive: true }));

const copies: readonly FileCopy[] = [
  { fromHostOffset: 0, toHostOffset: 6 * MiB, length: 2.5 * MiB },
  { fromHostOffset: 3 * MiB, toHostOffset: 10 * MiB + 512, length: 64 * KiB },
  // Past the end: zeros.
  { fromHostOffset: 5 * MiB, toHostOffset: 9 * MiB, length: 64 * KiB },
  { fromHostOffset: 4 * MiB, toHostOffset: 3.5 * MiB, length: 512 },
];

function expected(): Buffer {
  const all = Buffer.alloc(10 * MiB + 512 + 64 * KiB);
  bytes.copy(all);
  const source = Buffer.from(all);
  for (const { fromHostOffset, toHostOffset, length } of copies)
    source.copy(all, toHostOffset, fromHostOffset, fromHostOffset + length);
  return all;
}

test("are as if read and written", async () => {
  // What earlier copies have written must not be read by later ones past the old end.
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(6 * MiB - bytes.length)]));
  const file = await new FileVolume().openForWriting(path);
  await file.copy?.(copies);
  await file.close();
  expect(readFileSync(path).equals(expected())).toBe(true);
});

test("from a medium that is waited for, several are under way together", async () => {
  const descriptor = openSync(path, "r+");
  ftruncateSync(descriptor, 6 * MiB);
  let [underWay, most] = [0, 0];
  const slow = {
    path,
    descriptor,
    size: async () => 6 * MiB,
    close: async () => {},
    // Never at once, as a reader that found it slow would have it.
    async read(hostOffset: number, into: Uint8Array) {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return bytes.copy(into, 0, Math.min(hostOffset, bytes.length));
    },
  };
  await new Copier(slow).copy(copies);
  closeSync(descriptor);
  expect(readFileSync(path).equals(expected())).toBe(true);
  expect(most).toBe(4);
});

test("what can't be read is told once nothing is under way, and nothing of its batch is written", async () => {
  const descriptor = openSync(path, "r+");
  const failure = new Error("no such sector");
  let underWay = 0;
  const failing = {
    path,
    descriptor,
    size: async () => bytes.length,
    close: async () => {},
    async read(hostOffset: number, into: Uint8Array) {
      if (hostOffset === 4 * KiB) throw failure;
      underWay++;
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return into.length;
    },
  };
  const three = [0, 4 * KiB, 8 * KiB].map((at) => ({ fromHostOffset: at, toHostOffset: MiB + at, length: 4 * KiB }));
  await expect(new Copier(failing).copy(three)).rejects.toBe(failure);
  expect(underWay).toBe(0);
  closeSync(descriptor);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test("what can't be written names the file and the place", async () => {
  const file = await new FileVolume().openForReading(path);
  const copier = new Copier({
    ...file,
    path,
    descriptor: file.descriptor as number,
    size: () => file.size(),
    read: file.read.bind(file),
    close: () => file.close(),
  });
  await expect(copier.copy(copies)).rejects.toMatchObject({
    kind: "io",
    operation: "write to",
    path,
    hostOffset: 6 * MiB,
  });
  await file.close();
});

test("in batches none is larger, and all is there", () => {
  const all = [...inBatches(copies, MiB)];
  expect(all.every((batch) => batch.reduce((sum, { length }) => sum + length, 0) <= MiB)).toBe(true);
  expect(all.map((batch) => batch.length)).toEqual([1, 1, 4]);
  expect(all.flat().reduce((sum, { length }) => sum + length, 0)).toBe(2.5 * MiB + 128 * KiB + 512);
  expect(all[1]?.[0]).toEqual({ fromHostOffset: MiB, toHostOffset: 7 * MiB, length: MiB });
});
