import { describe, expect, it } from "vitest";
import { openQed } from "../../../../src/formats/qed/image.ts";
import type { Repair, RepairScope } from "../../../../src/image/repair.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { type BuiltQedImage, buildQedImage, setEntry } from "../../../formats/qed/builder.ts";
import { applyRepair } from "../../../support/apply-repair.ts";

const NEED_CHECK = 2n;
const MiB = 1024 * 1024;

function plan(bytes: Uint8Array, scope: RepairScope = "all", allowDataLoss = false): Promise<Repair> {
  return openQed(memoryStorage(bytes)).then((image) => image.planRepair({ scope, allowDataLoss }));
}

function damaged(damage: (view: DataView, image: BuiltQedImage) => void, features = 0n): Uint8Array {
  const image = buildQedImage({ virtualSize: 8 * MiB, data: [0, 1, 2], features });
  damage(new DataView(image.bytes.buffer), image);
  return image.bytes;
}

async function check(bytes: Uint8Array): Promise<number[]> {
  const { corruptions, leaks } = await (await openQed(memoryStorage(bytes))).check();
  return [corruptions, leaks];
}

describe("NEED_CHECK", () => {
  it.each(["leaks", "all"] as const)("goes where the tables are right (%s)", async (scope) => {
    const bytes = damaged(() => {}, NEED_CHECK);
    const repair = await plan(bytes, scope);
    expect(repair).toMatchObject({ leaksFixed: 0, corruptionsFixed: 0, mended: [], fileSize: bytes.length });
    expect(applyRepair(bytes, repair).readBigUInt64LE(16)).toBe(0n);
  });

  it("stays where an error stays", async () => {
    const bytes = damaged((view, { l2Offsets, dataOffsets }) => {
      setEntry(view, l2Offsets.get(0) as number, 5, dataOffsets.get(0) as number);
    }, NEED_CHECK);
    expect((await plan(bytes)).steps).toEqual([]);
  });
});

describe("autoclear bits, of which none is known", () => {
  it("go before what is mended, and stay where nothing is", async () => {
    const bytes = damaged((view) => view.setBigUint64(32, 1n << 40n, true), NEED_CHECK);
    const repair = await plan(bytes);
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual(["clear what a write breaks", "clear the mark"]);
    const first = applyRepair(bytes, repair, 1);
    expect([first.readBigUInt64LE(16), first.readBigUInt64LE(32)]).toEqual([NEED_CHECK, 0n]);
    expect(applyRepair(bytes, repair).readBigUInt64LE(16)).toBe(0n);
    const sound = damaged((view) => view.setBigUint64(32, 1n << 40n, true));
    expect((await plan(sound)).steps).toEqual([]);
  });
});

describe("a sound image", () => {
  it("is left alone, leaks too", async () => {
    const { bytes } = buildQedImage({ virtualSize: MiB, data: [0, 1], leaks: 2 });
    expect(await plan(bytes)).toMatchObject({ steps: [], mended: [], losses: [] });
  });
});

describe("entries that point nowhere", () => {
  const cases: [string, number | bigint][] = [
    ["past the end", 0x10000000],
    ["between clusters", 0x1200],
    ["beyond 2^53", 1n << 60n],
  ];

  it.each(cases)("go where the file holds nothing they could have meant: %s", async (_, place) => {
    const bytes = damaged((view, { l1Offset, l2Offsets }) => {
      setEntry(view, l1Offset, 3, place);
      setEntry(view, l2Offsets.get(0) as number, 7, place);
      setEntry(view, l2Offsets.get(0) as number, 8, place);
    }, NEED_CHECK);
    const repair = await plan(bytes);
    expect(repair).toMatchObject({ corruptionsFixed: 3, losses: [], givenUp: [] });
    expect(repair.steps.map(({ purpose }) => purpose)).toEqual(["drop entries that point nowhere", "clear the mark"]);
    const mended = applyRepair(bytes, repair);
    expect(await check(mended)).toEqual([0, 0]);
    expect((await plan(mended)).steps).toEqual([]);
    expect((await plan(bytes, "leaks")).steps).toEqual([]);
  });

  it("stay where a leak may be what they meant, and go by consent", async () => {
    const bytes = damaged((view, { l2Offsets }) => setEntry(view, l2Offsets.get(0) as number, 1, 0x10000000));
    const careful = await plan(bytes);
    expect(careful.steps).toEqual([]);
    expect(careful.losses).toEqual([
      "L2 table 0 names data for guest offset 0x1000 at host offset 0x10000000, where none can be; it may be among 1 leaked cluster",
    ]);
    const consenting = await plan(bytes, "all", true);
    expect(consenting.losses).toEqual([]);
    expect(consenting.givenUp).toHaveLength(1);
    expect(await check(applyRepair(bytes, consenting))).toEqual([0, 1]);
  });

  it("stay where tables and data share clusters", async () => {
    const bytes = damaged((view, { l2Offsets, dataOffsets }) => {
      setEntry(view, l2Offsets.get(0) as number, 7, 0x10000000);
      setEntry(view, l2Offsets.get(0) as number, 1, dataOffsets.get(0) as number);
      setEntry(view, l2Offsets.get(0) as number, 9, dataOffsets.get(1) as number);
    });
    expect((await plan(bytes, "all", true)).steps).toEqual([]);
  });
});
