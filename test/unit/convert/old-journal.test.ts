/** Undos that an older build kept tell neither where the source ends nor what it holds beside its guest: nothing is lost by that. */

import { describe, expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { extentAt, findRow } from "../../../src/image/extent.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { encodeRecord, scanRecords } from "../../../src/journal/record.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";

const CLUSTER = 4096;
const { undo } = journalNamesOf(IMAGE_PATH);

/** The same journal without the fields that came later. */
function asOldBuild(journal: Uint8Array): Uint8Array {
  const { journalId, records } = scanRecords(journal, undo);
  const encoded = records.map(({ facts, blob }, sequence) => {
    const { sourceEnd: _, alsoHolds: __, ...old } = facts as Record<string, unknown>;
    return encodeRecord(journalId as Uint8Array, sequence, old, blob);
  });
  return Buffer.concat(encoded);
}

/** Converted with its undo, which is then an old build's; a guest wrote one byte in place since. */
async function bootedWithOldUndo(image: Uint8Array, options: ConvertOptions, guestOffset: number) {
  const volume = new MemoryVolume({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, "qed", { ...options, keepUndo: true }, testHost(volume));
  const extents = await (await openImage(memoryStorage(volume.snapshot(IMAGE_PATH)))).getMapping();
  const row = extentAt(extents, findRow(extents, guestOffset));
  const hostOffset = row.hostOffset + guestOffset - row.guestOffset;
  const booted = Buffer.from(volume.snapshot(IMAGE_PATH)).fill(0x77, hostOffset, hostOffset + 1);
  const files = { ...volume.snapshots(), [IMAGE_PATH]: booted, [undo]: asOldBuild(volume.snapshot(undo)) };
  return { volume: new MemoryVolume(files), hostOffset };
}

describe("an undo that an older build kept", () => {
  test("of a file that ended inside its last cluster: what a guest wrote past its end stays", async () => {
    const { bytes } = buildQcow2Image({ clusterBits: 12 });
    const image = new Uint8Array(bytes.subarray(0, bytes.length - 3000));
    const { volume, hostOffset } = await bootedWithOldUndo(image, {}, 2 * CLUSTER - 10);
    expect(hostOffset).toBeGreaterThan(image.length);
    const { message } = await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(message).toMatch(/with what was written past its old end/);
    expect(volume.snapshot(IMAGE_PATH)[hostOffset]).toBe(0x77);
  });

  test.each([
    ["a snapshot", { snapshot: true }, ["snapshots"]],
    ["an unknown autoclear bit", { autoclear: 1n << 5n }, []],
  ] as const)("of a source with %s: not put back once a guest wrote", async (_, description, drop) => {
    const { bytes } = buildQcow2Image({ clusterBits: 12, ...description });
    const { volume } = await bootedWithOldUndo(new Uint8Array(bytes), { drop }, 100);
    await expect(rollback(IMAGE_PATH, {}, testHost(volume))).rejects.toThrow(/a guest wrote to its disk since/);
    await resume(IMAGE_PATH, {}, testHost(volume));
  });

  test("of a source whose leaks were let go: put back, as any that holds nothing else", async () => {
    const { bytes } = buildQcow2Image({ clusterBits: 12 });
    const { volume, hostOffset } = await bootedWithOldUndo(new Uint8Array(bytes), { drop: ["leaks"] }, 100);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshot(IMAGE_PATH)[hostOffset]).toBe(0x77);
  });
});
