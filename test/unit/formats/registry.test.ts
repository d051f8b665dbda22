import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/bytes/image-error.ts";
import { driverOf, formatDrivers, openImage, probeFormat } from "../../../src/formats/registry.ts";
import { memoryStorage } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";

describe("registry", () => {
  it("holds each format once, raw last", () => {
    const names = formatDrivers.map((driver) => driver.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.at(-1)).toBe("raw");
  });

  it("finds QED by its magic and by name", async () => {
    const storage = memoryStorage(buildQedImage({ virtualSize: 4096 }).bytes);
    expect((await probeFormat(storage)).name).toBe("qed");
    expect((await openImage(storage)).format).toBe("qed");
    expect((await openImage(storage, "qed")).format).toBe("qed");
    await expect(openImage(storage, "qcow2")).rejects.toMatchObject({ name: "ImageError" });
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
    expect(() => driverOf("vhdy")).toThrow("the formats are qcow2, qed, raw");
  });
});
