/** A shared file shows on any thread what the overlay shows on this one, byte and count alike. */

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDescriptor } from "../../../../src/storage/file/descriptor.ts";
import { readShared } from "../../../../src/storage/file/shared-reader.ts";
import { OverlayStorage } from "../../../../src/storage/overlay.ts";
import { type SharedFile, sharedUnder } from "../../../../src/storage/shared-file.ts";
import type { Storage } from "../../../../src/storage/storage.ts";

let folder: string;
let descriptor: number;
const LENGTH = 40;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shared-reader-"));
  writeFileSync(
    join(folder, "file"),
    Uint8Array.from({ length: LENGTH }, (_, at) => at + 1),
  );
  descriptor = openSync(join(folder, "file"), "r");
});
afterAll(() => {
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

const base = (): Storage => ({
  path: "file",
  descriptor,
  size: async () => LENGTH,
  read: async (hostOffset, into) => readDescriptor(descriptor, hostOffset, into, "file"),
  close: async () => {},
});

test("whatever lies over it, however long it would be, whatever is read", async () => {
  const write = fc.record({ hostOffset: fc.nat(60), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { maxLength: 9 }),
      fc.option(fc.nat(80), { nil: undefined }),
      fc.nat(80),
      fc.nat(80),
      async (writes, size, hostOffset, length) => {
        const overlay = new OverlayStorage(base(), writes, size === undefined ? {} : { size });
        const [here, there] = [new Uint8Array(length).fill(99), new Uint8Array(length).fill(99)];
        const count = await overlay.read(hostOffset, here);
        expect(readShared(overlay.shared as SharedFile, hostOffset, there)).toBe(count);
        expect(there.subarray(0, count)).toEqual(here.subarray(0, count));
      },
    ),
    { numRuns: 2000 },
  );
});

test("what is covered is not read, what is not is", () => {
  const covered = { path: "file", descriptor: 9999, pieces: [{ hostOffset: 8, bytes: new Uint8Array(8).fill(7) }] };
  const into = new Uint8Array(4);
  expect(readShared(covered, 10, into)).toBe(4);
  expect([...into]).toEqual([7, 7, 7, 7]);
  expect(() => readShared(covered, 14, into)).toThrow("Cannot read file at host offset 0x10");
});

test("where there is no descriptor the pieces are all there is", () => {
  const inMemory = { path: "memory", descriptor: undefined };
  const shared = sharedUnder(inMemory, [{ hostOffset: 2, bytes: Uint8Array.of(5, 6) }]) as SharedFile;
  const into = new Uint8Array(8).fill(9);
  expect(readShared(shared, 0, into)).toBe(4);
  expect([...into.subarray(0, 4)]).toEqual([0, 0, 5, 6]);
});
