/** Each format's driver against its kit: the same guest as the naive reader's, and no field of it that brings it down. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { BLOCK_SIZE, type GuestContents, guestBytesOf } from "../formats/guest-contents.ts";
import type { FormatKit } from "../formats/kit.ts";
import { driverOfKit, kits, storageOfKit } from "../formats/kits.ts";
import { mutate } from "../fuzz/mutator.ts";
import { openWith } from "../support/open-with.ts";
import { seededRandom } from "../support/random.ts";

const contents: fc.Arbitrary<GuestContents> = fc
  .record({
    blocks: fc.array(fc.constantFrom("data", "zero", "nothing"), { minLength: 1, maxLength: 40 }),
    sectorsLess: fc.nat(7),
  })
  .map(({ blocks, sectorsLess }) => ({
    virtualSize: blocks.length * BLOCK_SIZE - sectorsLess * 512,
    data: [...blocks.keys()].filter((block) => blocks[block] === "data"),
    zero: [...blocks.keys()].filter((block) => blocks[block] === "zero"),
  }));

async function guestByDriver(kit: FormatKit, bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openWith(driverOfKit(kit), storageOfKit(kit, bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

describe.each(kits)("$title", (kit) => {
  test("shows what its image was made of, to the driver as to the naive reader", async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (wanted) => {
        const [bytes, guest] = [kit.build(wanted), guestBytesOf(wanted)];
        expect(Buffer.compare(kit.naiveRead(bytes), guest)).toBe(0);
        expect(Buffer.compare(await guestByDriver(kit, bytes), guest)).toBe(0);
      }),
      { numRuns: 50, seed: 2011 },
    );
  });
});

describe.each(kits.filter(({ check }) => check !== undefined))("$title, checked", (kit) => {
  test("finds nothing in its image", async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (wanted) => {
        const result = await checkOf(await openWith(driverOfKit(kit), storageOfKit(kit, kit.build(wanted))));
        expect(result).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0, findings: [] });
      }),
      { numRuns: 25, seed: 2011 },
    );
  });
});

const withFields = kits.flatMap(({ title, fieldSites, ...kit }) => (fieldSites ? [{ ...kit, title, fieldSites }] : []));

describe.each(withFields)("the fields of $title", (kit) => {
  const image = Buffer.from(kit.build({ virtualSize: 40 * BLOCK_SIZE - 512, data: [0, 1, 5, 39], zero: [3] }));
  const fields = kit.fieldSites(image);

  test("lie inside the image, none upon another", () => {
    const sites = [...fields.sites.values()].flat().sort((a, b) => a.hostOffset - b.hostOffset);
    expect(sites.length).toBeGreaterThan(0);
    for (const [index, { hostOffset, size }] of sites.entries()) {
      expect(hostOffset + size).toBeLessThanOrEqual(sites[index + 1]?.hostOffset ?? image.length);
    }
  });

  test("may lie, however they do: an ImageError or another guest, and nothing else", async () => {
    for (let seed = 0; seed < 200; seed++) {
      const { bytes, story } = mutate(image, fields, seededRandom(seed));
      try {
        const opened = await openWith(driverOfKit(kit), storageOfKit(kit, bytes));
        await (await openGuestView([opened])).table.count;
      } catch (error) {
        expect(error, story.join("; ")).toBeInstanceOf(ImageError);
      }
    }
  });
});
