/** A repair as patches: whole sectors, what each step finds and leaves; and every write that must not be is refused. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { isEmptyPlan, planPatches, type RepairedImage } from "../../../src/check/repair-plan.ts";
import { ExtentState, ExtentTableBuilder } from "../../../src/image/extent.ts";
import type { Repair, RepairStep } from "../../../src/image/repair.ts";
import type { Write } from "../../../src/image/write.ts";

const CLUSTER = 4096;
const FILE_SIZE = 6 * CLUSTER + 100;

/** Clusters 0, 1 and 2 are metadata, 3 and 4 hold guest clusters 0 and 1, 5 is free, the rest ends inside a sector. */
function image(fields: Partial<RepairedImage> = {}): RepairedImage {
  const builder = new ExtentTableBuilder();
  builder.append(2 * CLUSTER, ExtentState.data, 3 * CLUSTER);
  builder.append(CLUSTER, ExtentState.compressed, 8 * CLUSTER, 700);
  builder.append(CLUSTER, ExtentState.unallocated);
  return {
    path: "disk.img",
    format: "qcow2",
    clusterSize: CLUSTER,
    fileSize: FILE_SIZE,
    mapping: builder.finish(4 * CLUSTER),
    metadata: RangeSet.of({ start: 0, end: 3 * CLUSTER }, { start: 6 * CLUSTER, end: 7 * CLUSTER }),
    ...fields,
  };
}

function repair(steps: readonly (readonly Write[])[], fields: Partial<Repair> = {}): Repair {
  return {
    additiveWrites: () => [],
    steps: steps.map((writes, at): RepairStep => ({ purpose: `step ${at}`, writes })),
    fileSize: FILE_SIZE,
    mended: [],
    leaksFixed: 0,
    corruptionsFixed: 0,
    losses: [],
    givenUp: [],
    ...fields,
  };
}

const FILE = Uint8Array.from({ length: FILE_SIZE }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
const read = async (hostOffset: number, length: number) => FILE.subarray(hostOffset, hostOffset + length);
const plan = (wanted: Repair, of: RepairedImage = image()) => planPatches(of, wanted, read);
const at = (hostOffset: number, ...bytes: number[]): Write => ({ hostOffset, bytes: Uint8Array.from(bytes) });

describe("patches", () => {
  test("are whole sectors, joined where they touch, without those that do not change", async () => {
    const same = FILE[CLUSTER + 1600] as number;
    const { steps, patched } = await plan(
      repair([[at(CLUSTER + 1024, 1), at(CLUSTER + 511, 2, 3), at(CLUSTER + 1600, same)]]),
    );
    expect(steps).toHaveLength(1);
    expect(steps[0]?.patches.map(({ hostOffset, before }) => [hostOffset, before.length])).toEqual([[CLUSTER, 1536]]);
    expect([...patched.each()]).toEqual([{ start: CLUSTER, end: CLUSTER + 1536 }]);
    const [patch] = steps[0]?.patches ?? [];
    expect(patch?.before).toEqual(FILE.slice(CLUSTER, CLUSTER + 1536));
    const after = FILE.slice(CLUSTER, CLUSTER + 1536);
    after.set([2, 3], 511);
    after.set([1], 1024);
    expect(patch?.after).toEqual(after);
  });

  test("keep the header's block whole", async () => {
    const { steps } = await plan(repair([[at(79, 1)]]));
    expect(steps[0]?.patches.map(({ hostOffset, before }) => [hostOffset, before.length])).toEqual([[0, 4096]]);
    const small = image({ clusterSize: 512 });
    const { steps: inSmall } = await plan(repair([[at(79, 1)]]), small);
    expect(inSmall[0]?.patches.map(({ hostOffset, before }) => [hostOffset, before.length])).toEqual([[0, 512]]);
  });

  test("end where the file ends", async () => {
    const { steps } = await plan(repair([[at(FILE_SIZE - 1, 1)]]));
    expect(steps[0]?.patches.map(({ hostOffset, before }) => [hostOffset, before.length])).toEqual([
      [6 * CLUSTER, 100],
    ]);
  });

  test("of a later step find what an earlier one left", async () => {
    const { steps } = await plan(repair([[at(CLUSTER, 1)], [at(2 * CLUSTER, 9)], [at(CLUSTER, 2)]]));
    const [first, , third] = steps.map(({ patches }) => patches[0]);
    expect(third?.before).toEqual(first?.after);
    expect(third?.after[0]).toBe(2);
  });

  test("that change nothing are none: neither are their steps", async () => {
    const same = at(CLUSTER, FILE[CLUSTER] as number);
    const nothing = await plan(repair([[same], []]));
    expect(nothing.steps).toEqual([]);
    expect(isEmptyPlan(nothing)).toBe(true);
    expect(isEmptyPlan(await plan(repair([], { fileSize: FILE_SIZE + 512 })))).toBe(false);
  });

  test("one after the other make the file that the writes make", async () => {
    const write = fc.record({
      hostOffset: fc.integer({ min: 0, max: 3 * CLUSTER - 40 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(write, { maxLength: 3 }), { maxLength: 4 }), async (wishes) => {
        const steps = wishes.map((writes) => writes.filter((one, index) => !overlapsEarlier(writes, one, index)));
        const expected = FILE.slice();
        for (const { hostOffset, bytes } of steps.flat()) expected.set(bytes, hostOffset);
        const found = FILE.slice();
        for (const { patches } of (await plan(repair(steps))).steps) {
          for (const { hostOffset, before, after } of patches) {
            expect(found.slice(hostOffset, hostOffset + before.length)).toEqual(Uint8Array.from(before));
            found.set(after, hostOffset);
          }
        }
        expect(found).toEqual(expected);
      }),
    );
  });
});

function overlapsEarlier(writes: readonly Write[], { hostOffset, bytes }: Write, index: number): boolean {
  return writes
    .slice(0, index)
    .some(
      (other) => other.hostOffset < hostOffset + bytes.length && hostOffset < other.hostOffset + other.bytes.length,
    );
}

describe("refused", () => {
  const refusal = (wanted: Repair, of?: RepairedImage) =>
    plan(wanted, of).then(
      () => "planned",
      (error: Error) => error.message,
    );
  const added = (...writes: readonly Write[]) =>
    repair([], { additiveWrites: () => writes, fileSize: FILE_SIZE + 4 * CLUSTER });

  test.each([
    ["a step past the old end", repair([[at(FILE_SIZE - 1, 1, 2)]]), "lies past the old end of file"],
    ["a step before the file", repair([[at(-1, 1)]]), "is written twice"],
    ["a place written twice in one step", repair([[at(5000, 1, 2), at(5001, 3)]]), "is written twice in one step"],
    ["a shorter file", repair([], { fileSize: FILE_SIZE - 1 }), "would shorten the file"],
    ["an addition below the old end", added(at(FILE_SIZE - 1, 1)), "is no place past the old end of file"],
    ["additions that go back", added(at(FILE_SIZE + 9, 1), at(FILE_SIZE + 8, 1)), "in ascending order"],
    ["an addition past the new end", added(at(FILE_SIZE + 4 * CLUSTER, 1)), "is no place past the old end of file"],
    ["an addition on guest data past the end", added(at(8 * CLUSTER + 699, 1)), "holds data of guest offset 0x2000"],
    ["guest data", repair([[at(5 * CLUSTER - 1, 1)]]), "holds data of guest offset 0x0"],
    ["a free cluster", repair([[at(5 * CLUSTER, 1)]]), "is no metadata"],
    ["a sector that is metadata and something else", repair([[at(3 * CLUSTER - 1, 1, 2)]]), "holds data"],
  ])("%s", async (_, wanted, why) => {
    expect(await refusal(wanted)).toContain(why);
  });

  test("what is no metadata also where the mapping can't be followed", async () => {
    const lost = image({ mapping: undefined, metadata: RangeSet.of({ start: CLUSTER, end: 2 * CLUSTER }) });
    expect(await refusal(repair([[at(4 * CLUSTER, 1)]]), lost)).toContain("is no metadata");
    expect(await refusal(repair([[at(2 * CLUSTER - 1, 1, 2)]]), lost)).toContain("is no metadata");
    // The header's cluster always is.
    expect(await refusal(repair([[at(CLUSTER - 1, 1, 2)]]), lost)).toBe("planned");
  });

  test("more than a journal holds", async () => {
    const fileSize = 65 * 1024 * 1024;
    const huge = image({ fileSize, mapping: undefined, metadata: RangeSet.of({ start: 0, end: fileSize }) });
    const writes = [{ hostOffset: 0, bytes: new Uint8Array(fileSize).fill(1) }];
    const zeros = async (_: number, length: number) => new Uint8Array(length);
    await expect(planPatches(huge, repair([writes], { fileSize }), zeros)).rejects.toMatchObject({
      kind: "unsupported",
    });
  });

  test("an addition where nothing lies is none", async () => {
    expect(await refusal(added(at(FILE_SIZE, 1), at(8 * CLUSTER + 700, 1)))).toBe("planned");
  });
});
