/** Units that are stored and read as zeros: what each pass finds, against a look at every byte. */

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KiB, MiB } from "../../src/bytes/align.ts";
import { type Range, RangeSet } from "../../src/bytes/range-set.ts";
import { ExtentState, ExtentTableBuilder, isStored } from "../../src/image/extent.ts";
import { digestGuest } from "../../src/image/guest/digest.ts";
import { findZeroUnits } from "../../src/image/guest/find-zeros.ts";
import { composeGuestView, type GuestView } from "../../src/image/guest/view.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { OverlayStorage } from "../../src/storage/overlay.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { buildLayer, materialise, referenceBlkhash } from "../support/guest-layer.ts";

const UNIT_SIZES = [512, 4 * KiB, 64 * KiB, 128 * KiB, 2 * MiB];

/** Unit by unit, byte by byte. */
function reference(guest: Uint8Array, { table }: GuestView, unitSize: number): Range[] {
  const stored = new Uint8Array(guest.length);
  for (let row = 0; row < table.count; row++) {
    const start = table.guestOffset[row] as number;
    if (isStored(table.state[row])) stored.fill(1, start, start + (table.length[row] as number));
  }
  const found = new RangeSet();
  for (let start = 0; start < guest.length; start += unitSize) {
    const end = Math.min(start + unitSize, guest.length);
    const isZeros = guest.subarray(start, end).every((byte) => byte === 0);
    if (isZeros && stored.subarray(start, end).includes(1)) found.add(start, end);
  }
  return [...found.each()];
}

async function expectFound(view: GuestView, guest: Uint8Array, unitSize: number, workerCount?: number): Promise<void> {
  const expected = reference(guest, view, unitSize);
  for (const algorithm of ["blkhash-sha256", "sha256"] as const) {
    const zeroUnits = { unitSize, found: new RangeSet() };
    const digest = await digestGuest(view, algorithm, { zeroUnits, workerCount });
    expect([...zeroUnits.found.each()]).toEqual(expected);
    if (algorithm === "blkhash-sha256") expect(digest).toBe(referenceBlkhash(guest));
  }
  expect([...(await findZeroUnits(view, unitSize, { workerCount })).each()]).toEqual(expected);
}

/** Bytes that are ones but for zeros in places, and which of them are stored: all else is zeros too. */
interface Disk {
  readonly rows: readonly { readonly state: "data" | "zero" | "unallocated"; readonly length: number }[];
  readonly zeros: readonly { readonly start: number; readonly length: number }[];
}

/** Lengths that end on, just before and just behind what is looked at in pieces, and anywhere. */
const length = fc.oneof(
  fc.integer({ min: 1, max: 300 * KiB }),
  fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom(512, 4 * KiB, 64 * KiB), fc.integer({ min: -1, max: 1 }))
    .map(([count, size, more]) => count * size + more),
);
const disk: fc.Arbitrary<Disk> = fc.record({
  rows: fc.array(fc.record({ state: fc.constantFrom("data", "data", "zero", "unallocated"), length } as const), {
    minLength: 1,
    maxLength: 6,
  }),
  zeros: fc.array(fc.record({ start: fc.oneof(length, fc.nat(MiB)), length }), { maxLength: 6 }),
});

function build({ rows, zeros }: Disk, open: (file: Uint8Array) => Storage): readonly [GuestView, Uint8Array] {
  const table = new ExtentTableBuilder();
  for (const { state, length } of rows) {
    table.append(length, ExtentState[state], ...(state === "data" ? [table.end] : []));
  }
  const virtualSize = table.end;
  const file = new Uint8Array(virtualSize).fill(1);
  for (const { start, length } of zeros) file.fill(0, start, start + length);
  const layer = {
    storage: open(file),
    extents: table.finish(virtualSize),
    virtualSize,
    clusterSize: 64 * KiB,
    compression: undefined,
    inflate: (stored: Uint8Array) => stored,
  };
  return [composeGuestView([layer]), onlyStored({ rows }, file.slice())];
}

function onlyStored({ rows }: Pick<Disk, "rows">, guest: Uint8Array): Uint8Array {
  let next = 0;
  for (const { state, length } of rows) {
    if (state !== "data") guest.fill(0, next, next + length);
    next += length;
  }
  return guest;
}

describe("zero units", () => {
  test("are those of the bytes, however rows, blocks and units lie", async () => {
    await fc.assert(
      fc.asyncProperty(disk, fc.constantFrom(...UNIT_SIZES), async (description, unitSize) => {
        const [view, guest] = build(description, (file) => memoryStorage(file));
        await expectFound(view, guest, unitSize);
      }),
      { numRuns: 60 },
    );
  });

  test("are those of the bytes through a chain with compressed clusters", async () => {
    const stretch = fc.record({
      state: fc.constantFrom("data", "zero", "unallocated", "compressed"),
      sectorCount: fc.integer({ min: 1, max: 80 }),
      seed: fc.nat(20).map((seed) => seed * 5 + (seed % 2)),
    } as const);
    const layer = fc.record({
      stretches: fc.array(stretch, { minLength: 1, maxLength: 8 }),
      compression: fc.constant("zlib" as const),
      missingTail: fc.constantFrom(0, 511),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(layer, { minLength: 1, maxLength: 2 }),
        fc.constantFrom(...UNIT_SIZES),
        async (descriptions, unitSize) => {
          const layers = descriptions.map((description) => buildLayer(description));
          await expectFound(composeGuestView(layers.map(({ layer }) => layer)), materialise(layers), unitSize);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("are the same on worker threads", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zero-units-"));
    const path = join(folder, "disk");
    try {
      for (const unitSize of [4 * KiB, 2 * MiB]) {
        const rows = [
          { state: "data", length: 3 * MiB + 70_000 },
          { state: "zero", length: 200_000 },
          { state: "data", length: 700_001 },
        ] as const;
        const zeros = [
          { start: 5000, length: 9000 },
          { start: 60_000, length: 2 * MiB },
          { start: 3 * MiB, length: 300_000 },
          { start: 4_000_000, length: 9_000_000 },
        ];
        let descriptor = -1;
        const [view, guest] = build({ rows, zeros }, (file) => {
          writeFileSync(path, file);
          descriptor = openSync(path, "r");
          return { ...memoryStorage(file), descriptor };
        });
        await expectFound(view, guest, unitSize, 2);
        closeSync(descriptor);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("and digest are the same through an overlay, on worker threads and on this one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zero-units-"));
    const path = join(folder, "disk");
    const piece = fc.record({
      hostOffset: fc.oneof(length, fc.nat(MiB)),
      bytes: fc.tuple(length, fc.constantFrom(0, 3)).map(([size, byte]) => new Uint8Array(size).fill(byte)),
    });
    try {
      await fc.assert(
        fc.asyncProperty(
          disk,
          fc.array(piece, { maxLength: 4 }),
          fc.option(length, { nil: undefined }),
          fc.constantFrom(512, 4 * KiB, 128 * KiB),
          async (description, pieces, size, unitSize) => {
            let descriptor = -1;
            let guest = new Uint8Array(0);
            const [view] = build(description, (file) => {
              writeFileSync(path, file);
              descriptor = openSync(path, "r");
              guest = file.slice().fill(0, size ?? file.length);
              for (const { hostOffset, bytes } of pieces) {
                const end = Math.min(hostOffset + bytes.length, size ?? file.length, file.length);
                if (end > hostOffset) guest.set(bytes.subarray(0, end - hostOffset), hostOffset);
              }
              return new OverlayStorage(
                { ...memoryStorage(file), descriptor },
                pieces,
                size === undefined ? {} : { size },
              );
            });
            onlyStored(description, guest);
            try {
              for (const workerCount of [1, 2]) {
                const found = new RangeSet();
                const options = { workerCount, zeroUnits: { unitSize, found } };
                expect(await digestGuest(view, "blkhash-sha256", options)).toBe(referenceBlkhash(guest));
                expect([...found.each()]).toEqual(reference(guest, view, unitSize));
              }
            } finally {
              closeSync(descriptor);
            }
          },
        ),
        { numRuns: 8 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([0, 1, 256, 513, 3 * KiB, 4 * MiB, 1.5, Number.NaN])("there are none of %d bytes", async (unitSize) => {
    const [view] = build({ rows: [{ state: "data", length: 10 }], zeros: [] }, (file) => memoryStorage(file));
    await expect(findZeroUnits(view, unitSize)).rejects.toThrow(RangeError);
  });

  test("a signal that was aborted is heard", async () => {
    const [view] = build({ rows: [{ state: "data", length: 10 }], zeros: [] }, (file) => memoryStorage(file));
    const search = findZeroUnits(view, 512, { signal: AbortSignal.abort() });
    await expect(search).rejects.toMatchObject({ kind: "interrupted" });
  });
});
