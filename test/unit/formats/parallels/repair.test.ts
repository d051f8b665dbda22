import { expect, test } from "vitest";
import { openParallels } from "../../../../src/formats/parallels/image.ts";
import { GuestReader } from "../../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../../src/image/guest/view.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildParallels } from "../../../formats/parallels/builder.ts";
import { applyRepair, applyStep, mixture } from "../../../support/apply-repair.ts";
import { seededRandom } from "../../../support/random.ts";

const IN_USE = 0x746f6e59;
const OUTSIDE = [2, 3, 190, 195];

/** Its BAT is longer than a sector; nothing of the file lies unreferenced but `leaks`. */
function damaged(leaks = 0): Buffer {
  const { bytes } = buildParallels({ virtualSize: 200 * 4096, data: [0, 1, 150], inUse: IN_USE, leaks });
  const image = Buffer.from(bytes);
  for (const track of OUTSIDE) image.writeUInt32LE(1000 + track, 64 + 4 * track);
  return image;
}

const planFor = async (bytes: Uint8Array, allowDataLoss = false) =>
  (await openParallels(memoryStorage(bytes))).planRepair?.({ scope: "all", allowDataLoss });

test("each mixture of old and new sectors is mended to the same image", async () => {
  const image = damaged();
  const repair = (await planFor(image)) as NonNullable<Awaited<ReturnType<typeof planFor>>>;
  expect(repair.steps.map(({ purpose }) => purpose)).toEqual([
    "drop entries that lead out of the file",
    "clear the mark",
  ]);
  const end = applyRepair(image, repair);
  expect((await checkOf(await openParallels(memoryStorage(end)))).corruptions).toBe(0);
  const guest = new Uint8Array(200 * 4096);
  const opened = await openParallels(memoryStorage(end));
  await new GuestReader(await openGuestView([opened])).read(0, guest);
  const { guest: sound } = buildParallels({ virtualSize: 200 * 4096, data: [0, 1, 150] });
  expect(Buffer.compare(guest, sound)).toBe(0);
  const random = seededRandom(7);
  let before: Buffer = image;
  for (const step of repair.steps) {
    const after = Buffer.from(before);
    applyStep(after, step);
    for (let turn = 0; turn < 10; turn++) {
      const cut = mixture(before, after, () => random.chance(0.5));
      const again = await planFor(cut);
      expect(Buffer.compare(again ? applyRepair(cut, again) : cut, end)).toBe(0);
      // The mark goes last.
      if (step === repair.steps[0]) expect(cut.readUInt32LE(44)).toBe(IN_USE);
    }
    before = after;
  }
});

test("while anything of the file lies unreferenced, entries go by consent, and the mark stays till then", async () => {
  const image = damaged(1);
  const kept = await planFor(image);
  expect(kept).toMatchObject({ steps: [], corruptionsFixed: 0, mended: [] });
  expect(kept?.losses).toHaveLength(OUTSIDE.length);
  expect(kept?.losses[0]).toContain("Entry 2 of the BAT names data for guest offset 0x2000 at host offset 0x3ea000");
  const given = await planFor(image, true);
  expect(given).toMatchObject({ losses: [], corruptionsFixed: OUTSIDE.length + 1 });
  expect(given?.givenUp).toHaveLength(OUTSIDE.length);
});

test("a sound image has nothing to mend, and leaks alone are left", async () => {
  const { bytes } = buildParallels({ virtualSize: 40 * 4096, data: [0, 1], leaks: 2 });
  expect(await planFor(bytes, true)).toMatchObject({ steps: [], losses: [], leaksFixed: 0 });
});

test("the header's cluster keeps its BAT from whoever writes there while the image lives", async () => {
  const { bytes } = buildParallels({ virtualSize: 40 * 4096, data: [0] });
  const { usedHeader } = (await openParallels(memoryStorage(bytes))).getConversionOptions();
  expect(usedHeader.contains(0, 64 + 40 * 4)).toBe(true);
});
