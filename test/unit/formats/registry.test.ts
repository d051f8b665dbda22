import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/bytes/image-error.ts";
import { imageExtensions } from "../../../src/formats/naming.ts";
import { driverOf, formatDrivers, openImage, probeFormat } from "../../../src/formats/registry.ts";
import { memoryStorage } from "../../../src/storage/memory.ts";
import { kits, storageOfKit } from "../../formats/kits.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";

const probed = kits.filter(({ isProbed }) => isProbed);

describe("registry", () => {
  it("holds each format once, raw last", () => {
    const names = formatDrivers.map((driver) => driver.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.at(-1)).toBe("raw");
  });

  it("finds each by marks of its own, which lie where they are looked for", () => {
    const marks = formatDrivers.flatMap((driver) => driver.marks);
    expect(new Set(marks.map(({ hostOffset, bytes }) => `${hostOffset} ${bytes}`)).size).toBe(marks.length);
    for (const { hostOffset, bytes } of marks) {
      const isNear =
        hostOffset < 0 ? hostOffset >= -512 && -hostOffset >= bytes.length : hostOffset + bytes.length <= 4096;
      expect(isNear).toBe(true);
    }
  });

  it("knows each by its names and no two by the same", () => {
    const names = formatDrivers.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const driver of formatDrivers)
      for (const name of [driver.name, ...driver.aliases]) expect(driverOf(name)).toBe(driver);
    const extensions = imageExtensions();
    expect(new Set(extensions).size).toBe(extensions.length);
  });

  it("has a kit for each format, and a kit no format but these, or one of its own", () => {
    const known = new Set(kits.filter(({ driver }) => driver === undefined).map(({ name }) => name));
    expect([...known].sort()).toEqual(formatDrivers.map(({ name }) => name).sort());
    expect(new Set(kits.map(({ title }) => title)).size).toBe(kits.length);
  });

  it.each(probed)("finds $title by its magic and by name", async (kit) => {
    const storage = storageOfKit(kit, kit.build({ virtualSize: 4096, data: [] }));
    expect((await probeFormat(storage)).name).toBe(kit.name);
    expect((await openImage(storage)).format).toBe(kit.name);
    expect((await openImage(storage, kit.name)).format).toBe(kit.name);
    for (const { name } of kits.filter((other) => other.name !== kit.name)) {
      await expect(openImage(storage, name), name).rejects.toMatchObject({ name: "ImageError" });
    }
  });

  it("never guesses raw", async () => {
    const storage = memoryStorage(new Uint8Array(4096).fill(1), "disk.img");
    await expect(openImage(storage)).rejects.toMatchObject({
      kind: "not-this-format",
      message: "Cannot tell the format of disk.img: no known magic; if it is raw, say so with -f raw",
    });
    expect((await openImage(storage, "raw")).virtualSize).toBe(4096);
    await expect(openImage(memoryStorage(new Uint8Array(0)))).rejects.toMatchObject({ kind: "not-this-format" });
  });

  it("makes a driver's refusal name the image, the place and what to do", async () => {
    const { bytes } = buildQedImage({ virtualSize: 4096 });
    bytes[4] = 3;
    await expect(openImage(memoryStorage(bytes, "a.qed"))).rejects.toMatchObject({
      kind: "corrupt",
      path: "a.qed",
      hostOffset: 4,
      message: expect.stringMatching(
        /cluster size 4099 .* \(at host offset 0x4 in a\.qed\); copy it with qemu-img convert where/,
      ),
    });
  });

  it("takes an unknown format for a mistake", () => {
    expect(() => driverOf("vhdy")).toThrow(UsageError);
    const names = formatDrivers.map(({ name }) => name).join(", ");
    expect(() => driverOf("vhdy")).toThrow(`the formats are ${names}`);
  });
});
