/** Any GPT on a disk that grows by any length: whole at the new end with the same partitions, or refused for want of room. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { planGptRelocation } from "../../src/image/gpt/relocation.ts";
import { type GptDisk, gptDisk, grown, guestOf, patched, signEntries, tableAt, wholeGpt } from "../support/gpt-disk.ts";

interface World {
  readonly layout: GptDisk & { readonly sectorSize: 512 | 4096 };
  readonly disk: Buffer;
  /** In sectors. */
  readonly growth: number;
  readonly lostBackup: boolean;
}

const world: fc.Arbitrary<World> = fc
  .record({
    sectorSize: fc.constantFrom(512 as const, 512 as const, 4096 as const),
    entryCount: fc.constantFrom(1, 3, 4, 9, 64, 128, 129),
    entrySize: fc.constantFrom(128, 256, 4096),
    gapBefore: fc.nat(5),
    gapAfter: fc.nat(7),
    headerSize: fc.constantFrom(92, 93, 128, 512),
    lengths: fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 20 }), fc.boolean()), { maxLength: 9 }),
    tail: fc.nat(30),
    growth: fc.oneof(fc.nat(40), fc.nat(3000)),
    lostBackup: fc.boolean(),
  })
  .map(({ sectorSize, entrySize, entryCount, gapBefore, gapAfter, headerSize, lengths, tail, growth, lostBackup }) => {
    const count = Math.min(entryCount, 2 ** 17 / entrySize);
    const length = Math.ceil((count * entrySize) / sectorSize);
    const entriesLba = 2 + gapBefore;
    const firstUsable = entriesLba + length + gapAfter;
    let next = firstUsable;
    const partitions = lengths.slice(0, count).map(([skip, sectors, isUsed]) => {
      if (!isUsed) return undefined;
      const first = next + skip;
      next = first + sectors;
      return [first, next - 1] as const;
    });
    const sectors = next + 1 + tail + length + 1;
    const layout = {
      sectorSize,
      sectors,
      entryCount: count,
      entrySize,
      entriesLba,
      firstUsable,
      partitions,
      headerSize,
    };
    const disk = gptDisk(layout);
    if (lostBackup) disk.fill(0, disk.length - (length + 1) * sectorSize);
    return { layout, disk, growth, lostBackup };
  });

test("relocated, whole, and the same partitions; and once more changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ layout: { sectorSize }, disk, growth, lostBackup }) => {
      const newSize = disk.length + growth * sectorSize;
      const before = tableAt(disk, 1, sectorSize);
      const { steps } = await planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize });
      expect(steps.length > 0).toBe(growth > 0 || lostBackup);
      const after = patched(
        grown(disk, newSize),
        steps.flatMap((step) => step.patches),
      );
      const { guid, firstUsable, entries, lastUsable } = wholeGpt(after, sectorSize);
      expect({ guid, firstUsable, entries }).toEqual({
        guid: before.guid,
        firstUsable: before.firstUsable,
        entries: before.entries,
      });
      expect(lastUsable).toBeGreaterThanOrEqual(before.lastUsable);
      // No sector of the front, of a partition or of the space between changed but the two that say where the end is.
      const kept = disk.subarray(0, (before.lastUsable + 1) * sectorSize);
      for (let at = 0; at < kept.length; at += 512) {
        const isTold = at === 0 || at === sectorSize;
        if (!isTold) expect(after.subarray(at, at + 512).equals(kept.subarray(at, at + 512))).toBe(true);
      }
      expect(after.subarray(0, 446).equals(kept.subarray(0, 446))).toBe(true);
      const again = await planGptRelocation(guestOf(after), { oldSize: newSize, newSize });
      expect(again.steps).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("bytes by chance in its structures, sums put right: refused, or nothing but the tail and two sectors changes", async () => {
  const damage = fc.array(fc.tuple(fc.nat(91), fc.nat(255), fc.boolean()), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(world, damage, async ({ layout, disk, growth }, changes) => {
      const { sectorSize, entriesLba = 2 } = layout;
      const bad = Buffer.from(disk);
      for (const [at, value, isHeader] of changes) {
        bad.writeUInt8(value, isHeader ? sectorSize + at : entriesLba * sectorSize + at);
      }
      // Sums only where the header's own numbers still let them be counted.
      const size = bad.readUInt32LE(sectorSize + 12);
      const bytes = bad.readUInt32LE(sectorSize + 80) * bad.readUInt32LE(sectorSize + 84);
      const start = bad.readBigUInt64LE(sectorSize + 72);
      if (size >= 20 && size <= sectorSize && start < 2n ** 32n && bytes < 2 ** 20)
        signEntries(bad, sectorSize, sectorSize);
      const newSize = disk.length + growth * sectorSize;
      const sizes = { oldSize: disk.length, newSize };
      const planned = await planGptRelocation(guestOf(bad), sizes).catch((error: unknown) => error);
      if (planned instanceof Error) {
        expect(planned).toBeInstanceOf(ImageError);
        return;
      }
      const { steps } = planned as Awaited<ReturnType<typeof planGptRelocation>>;
      const table = tableAt(bad, 1, sectorSize);
      const after = patched(
        grown(bad, newSize),
        steps.flatMap((step) => step.patches),
      );
      expect(wholeGpt(after, sectorSize).entries.equals(table.entries)).toBe(true);
      const entrySize = bad.readUInt32LE(sectorSize + 84);
      let end = 0;
      for (let at = 0; at < table.entries.length; at += entrySize) {
        const isUsed = table.entries.subarray(at, at + 16).some((byte) => byte !== 0);
        if (isUsed) end = Math.max(end, (Number(table.entries.readBigUInt64LE(at + 40)) + 1) * sectorSize);
      }
      for (const { guestOffset } of steps.flatMap((step) => step.patches)) {
        expect(guestOffset === 0 || guestOffset === sectorSize || guestOffset >= end).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
