/** Every format that is converted is found in an archive, by its name or by how it begins. */

import { describe, expect, test } from "vitest";
import { beginsAsImage, isImageName, MARK_LENGTH } from "../../../../src/acquire/unpack/known-image.ts";
import { imageMarks } from "../../../../src/formats/naming.ts";
import { driverOfKit, kits } from "../../../formats/kits.ts";

describe.each(kits)("$title", (kit) => {
  test("by each of its extensions, in any case", () => {
    for (const extension of driverOfKit(kit).extensions) {
      expect(isImageName(`folder/disk${extension}`)).toBe(true);
      expect(isImageName(`folder/disk${extension.toUpperCase()}`)).toBe(true);
      expect(isImageName(`folder/disk${extension}.txt`)).toBe(false);
    }
  });

  test("by its first bytes, where it tells what it is", () => {
    const image = kit.build({ virtualSize: 4096, data: [0] });
    const beginsWithGuest = Buffer.from(kit.naiveRead(image)).equals(image.subarray(0, 4096));
    // One archive in another is none.
    const isTold = kit.isProbed && !beginsWithGuest && !driverOfKit(kit).isArchive;
    expect(beginsAsImage(image.subarray(0, MARK_LENGTH))).toBe(isTold);
  });
});

test.each(["qcow", "vmdk", "vdi", "vhd", "vhdx", "vpc", "avhd", "avhdx", "hdd", "hds", "parallels"])(
  "an image of a format that we don't open is one too: %s",
  (extension) => expect(isImageName(`disk.${extension}`)).toBe(true),
);

test.each(["qcow2", "disk.qcow2x", "disk.ovf", "raw", "disk.iso"])("no image: %s", (name) =>
  expect(isImageName(name)).toBe(false),
);

test("so many first bytes hold every mark that lies at a beginning", () => {
  for (const { hostOffset, bytes } of imageMarks()) {
    if (hostOffset >= 0) expect(hostOffset + bytes.length).toBeLessThanOrEqual(MARK_LENGTH);
  }
});
