import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { openQed } from "../../src/formats/qed/image.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { buildQedImage } from "../formats/qed/builder.ts";
import { readQedNaively } from "../formats/qed/naive-reader.ts";
import { applyEpoch } from "../support/apply-epoch.ts";

const BOUNDARIES = [
  0n,
  1n,
  2n,
  511n,
  4096n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

describe("hostile QED images", () => {
  it("meet an ImageError or a finding, never anything else, and settle only if they are sound", async () => {
    const built = buildQedImage({
      virtualSize: 5 << 20,
      data: [0, 1, 2, 40, 1030],
      zero: [3, 41],
      leaks: 2,
      seed: 5,
      backingName: "base",
    });
    const places = fc.oneof(
      fc.integer({ min: 0, max: 7 }).map((word) => word * 8),
      fc.integer({ min: 0, max: 4 }).map((entry) => built.l1Offset + entry * 8),
      fc
        .tuple(fc.constantFrom(...built.l2Offsets.values()), fc.integer({ min: 0, max: 45 }))
        .map(([table, entry]) => table + entry * 8),
    );
    const values = fc.oneof(
      fc.constantFrom(...BOUNDARIES),
      fc.integer({ min: 0, max: built.bytes.length / 4096 }).map((cluster) => BigInt(cluster * 4096)),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    );
    const cut = fc.oneof(fc.constant(built.bytes.length), fc.integer({ min: 0, max: built.bytes.length }));
    let settledCount = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(places, values), { maxLength: 2 }), cut, async (changes, length) => {
        const bytes = built.bytes.slice();
        const view = new DataView(bytes.buffer);
        for (const [at, value] of changes) view.setBigUint64(at, value, true);
        const file = bytes.slice(0, length);
        const image = await orImageError(() => openQed(memoryStorage(file)));
        if (image === undefined) return;
        const check = await image.check();
        const mapping = await orImageError(() => image.getMapping());
        if (check.corruptions === 0) expect(mapping).toBeDefined();
        const plan = await orImageError(() => image.planSettling());
        if (plan === undefined) return;
        expect(check.corruptions).toBe(0);
        const [before, after] = [readQedNaively(file), readQedNaively(plan.epochs.reduce(applyEpoch, file))];
        expect(after).toMatchObject({ corruptions: 0, leaks: 0 });
        expect(after.states.join()).toBe(before.states.join());
        expect(Buffer.compare(after.guest, before.guest)).toBe(0);
        settledCount++;
      }),
      { numRuns: 400, seed: 17 },
    );
    expect(settledCount).toBeGreaterThan(20);
  });
});

async function orImageError<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    expect(error).toBeInstanceOf(ImageError);
    return undefined;
  }
}
