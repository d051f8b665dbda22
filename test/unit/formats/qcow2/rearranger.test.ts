import { describe, expect, it } from "vitest";
import { Qcow2Image } from "../../../../src/formats/qcow2/image.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { shuffledQcow2 } from "../../../formats/qcow2/any-image.ts";
import { readNaively, readQcow2Guest } from "../../../formats/qcow2/naive-reader.ts";
import { compactInMemory } from "../../../support/compaction.ts";

const open = Qcow2Image.open;

describe("the qcow2 rearranger", () => {
  it("compacts", async () => {
    const { bytes, guest } = shuffledQcow2();
    const played = await compactInMemory(bytes, { open, movesAtOnce: 2 });
    expect(readQcow2Guest(played.bytes)).toEqual(guest);
    const check = await (await open(memoryStorage(played.bytes))).check();
    expect(check.findings).toEqual([]);
    expect(readNaively(played.bytes).references.size * 4096).toBe(played.bytes.length);
  });
});
