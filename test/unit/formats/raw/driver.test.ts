import { describe, expect, it } from "vitest";
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
