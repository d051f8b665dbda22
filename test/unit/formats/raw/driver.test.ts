import { describe, expect, it } from "vitest";
import { type Range, RangeSet } from "../../../../src/bytes/range-set.ts";
import { rawDriver } from "../../../../src/formats/raw/driver.ts";
import { ExtentState, eachExtent } from "../../../../src/image/extent.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { openWith } from "../../../support/open-with.ts";

describe("raw", () => {
  it("is one data extent of the file's length, to the byte", async () => {
    const image = await openWith(rawDriver, memoryStorage(new Uint8Array(1000)));
    expect(image.virtualSize).toBe(1000);
    expect([...eachExtent(await image.getMapping())]).toMatchObject([
      { guestOffset: 0, hostOffset: 0, length: 1000, state: ExtentState.data },
    ]);
    expect((await image.getMetadataRanges()).total).toBe(0);
  });

  it("tells of holes as zeros in their place, the end of an odd length among them", async () => {
    const told =
      (...data: readonly Range[]) =>
      async () => {
        const storage = { ...memoryStorage(new Uint8Array(1000)), dataRanges: async () => RangeSet.of(...data) };
        const image = await openWith(rawDriver, storage);
        expect(image.virtualSize).toBe(1000);
        const rows = [...eachExtent(await image.getMapping())];
        for (const { guestOffset, hostOffset } of rows) expect(hostOffset).toBe(guestOffset);
        return rows.map(({ length, state }) => `${state === ExtentState.zero ? "zero" : "data"} ${length}`);
      };
    expect(await told()()).toEqual(["zero 1000"]);
    expect(await told({ start: 0, end: 1000 })()).toEqual(["data 1000"]);
    expect(await told({ start: 10, end: 20 }, { start: 30, end: 31 })()).toEqual([
      "zero 10",
      "data 10",
      "zero 10",
      "data 1",
      "zero 969",
    ]);
    // A file that grew since, as far as the image reaches.
    expect(await told({ start: 0, end: 4 }, { start: 990, end: 2000 })()).toEqual(["data 4", "zero 986", "data 10"]);
  });

  it("asks for its holes once", async () => {
    let count = 0;
    const dataRanges = async () => {
      count++;
      return new RangeSet();
    };
    const image = await openWith(rawDriver, { ...memoryStorage(new Uint8Array(10)), dataRanges });
    expect(await image.getMapping()).toBe(await image.getMapping());
    expect(count).toBe(1);
  });

  it("has nothing to check and nothing inflated", async () => {
    const image = await openWith(rawDriver, memoryStorage(new Uint8Array(0)));
    expect(image.check).toBeUndefined();
    expect(await checkOf(image)).toMatchObject({ corruptions: 0, leaks: 0, totalClusters: 0 });
    expect(image.getConversionOptions().compression).toBeUndefined();
    expect((await image.getMapping()).count).toBe(0);
  });

  it("is never probed", () => {
    expect(rawDriver.marks).toEqual([]);
  });
});
