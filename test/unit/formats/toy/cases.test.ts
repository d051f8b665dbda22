/** The corpus of toys: what is accepted becomes its target with the same guest, what is refused is refused as its name says. */

import { describe, expect, test, vi } from "vitest";
import { convert } from "../../../../src/convert/convert.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { type CorpusCase, kindOf } from "../../../corpus/case.ts";
import { readQcow2Guest } from "../../../formats/qcow2/naive-reader.ts";
import { toyCases } from "../../../formats/toy/cases.ts";
import { readToyNaively } from "../../../formats/toy/naive-reader.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";

vi.mock("../../../../src/formats/drivers.ts", async (original) =>
  (await import("../../../formats/toy/registered.ts")).withToyDriver(await original()),
);
vi.mock("../../../../src/formats/targets.ts", async (original) =>
  (await import("../../../formats/toy/registered.ts")).withToyTarget(await original()),
);

const [accepted, refused] = [
  toyCases.filter(({ says }) => says === undefined),
  toyCases.filter((each): each is CorpusCase & { says: RegExp } => each.says !== undefined),
];

describe("the corpus of toys", () => {
  test.each(accepted)("$name", async ({ bytes, target }) => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    expect(await convert(IMAGE_PATH, target, {}, testHost(volume))).toMatchObject({
      sourceFormat: "toy",
      changed: true,
    });
    expect(Buffer.compare(readQcow2Guest(volume.snapshot(IMAGE_PATH)), readToyNaively(bytes))).toBe(0);
  });

  test.each(refused)("$name", async (refusal) => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: refusal.bytes });
    const error = await convert(IMAGE_PATH, refusal.target, {}, testHost(volume)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: "ImageError",
      kind: kindOf(refusal),
      message: expect.stringMatching(refusal.says),
    });
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(refusal.bytes) });
  });
});
