import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestGuest } from "../../src/image/guest/digest.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { composeGuestView } from "../../src/image/guest/view.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { buildLayer, type LayerDescription, materialise, referenceBlkhash, sha256 } from "../support/guest-layer.ts";

const stretch = fc.record({
  // Often such that a layer cuts through a compressed cluster below it.
  state: fc.constantFrom("data", "zero", "unallocated", "unallocated", "compressed", "compressed"),
  // Short ones, and ones that span several blocks of the digest.
  sectorCount: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 12 }) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 300 }) },
  ),
  seed: fc.nat(1000),
} as const);
const layer: fc.Arbitrary<LayerDescription> = fc.record({
  stretches: fc.array(stretch, { minLength: 1, maxLength: 10 }),
  compression: fc.constantFrom("zlib", "zstd"),
  missingTail: fc.constantFrom(0, 0, 1, 511),
} as const);
const chain = fc.array(layer, { minLength: 1, maxLength: 3 });

describe("a guest view", () => {
  test("reads, digests and composes to the bytes that the layers were made of", async () => {
    await fc.assert(
      fc.asyncProperty(chain, fc.nat(), fc.nat(), async (descriptions, from, length) => {
        const layers = descriptions.map((description) => buildLayer(description));
        const guest = materialise(layers);
        const view = composeGuestView(layers.map(({ layer }) => layer));
        const reader = new GuestReader(view);

        const whole = new Uint8Array(guest.length).fill(0x55);
        await reader.read(0, whole);
        expect(Buffer.compare(whole, guest)).toBe(0);

        const start = from % (guest.length + 100);
        const part = new Uint8Array(length % 5000).fill(0x55);
        await reader.read(start, part);
        const expected = new Uint8Array(part.length);
        expected.set(guest.subarray(start, start + part.length));
        expect(Buffer.compare(part, expected)).toBe(0);

        expect(await digestGuest(view, "blkhash-sha256")).toBe(referenceBlkhash(guest));
        expect(await digestGuest(view, "sha256")).toBe(sha256(guest));
      }),
      { numRuns: 100 },
    );
  });

  test("has the same digest on worker threads", async () => {
    const folder = mkdtempSync(join(tmpdir(), "guest-view-"));
    const descriptors: number[] = [];
    const openFile = (file: Uint8Array): Storage => {
      const path = join(folder, `${descriptors.length}`);
      writeFileSync(path, file);
      const descriptor = openSync(path, "r");
      descriptors.push(descriptor);
      return {
        path,
        descriptor,
        size: async () => file.length,
        read: async (hostOffset, into) => readSync(descriptor, into, 0, into.length, hostOffset),
        close: async () => {},
      };
    };
    try {
      await fc.assert(
        fc.asyncProperty(chain, async (descriptions) => {
          const layers = descriptions.map((description) => buildLayer(description, openFile));
          const view = composeGuestView(layers.map(({ layer }) => layer));
          const digest = await digestGuest(view, "blkhash-sha256", { workerCount: 2 });
          expect(digest).toBe(referenceBlkhash(materialise(layers)));
        }),
        { numRuns: 25 },
      );
    } finally {
      for (const descriptor of descriptors) closeSync(descriptor);
      rmSync(folder, { recursive: true });
    }
  });
});
