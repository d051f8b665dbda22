/** What follows from a driver's declaration and its verbs alone: names, extensions, refusals, and every command that reads. */

import { describe, expect, test, vi } from "vitest";
import { isImageName } from "../../../../src/acquire/unpack/known-image.ts";
import { check } from "../../../../src/convert/check.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import { checksum } from "../../../../src/convert/reading/checksum.ts";
import { compare } from "../../../../src/convert/reading/compare.ts";
import { info } from "../../../../src/convert/reading/info.ts";
import { infoText } from "../../../../src/convert/reading/info-text.ts";
import { map, mapText } from "../../../../src/convert/reading/map.ts";
import { extensionsOf, imageExtensions, nameFor } from "../../../../src/formats/naming.ts";
import { driverOf, formatToldBy, isTold, openImage, probeFormat } from "../../../../src/formats/registry.ts";
import { targetOptions } from "../../../../src/index.ts";
import { MemoryVolume, memoryStorage } from "../../../../src/storage/memory.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { buildToy, type ToyDescription } from "../../../formats/toy/builder.ts";
import { toyDriver } from "../../../formats/toy/driver/driver.ts";
import { testHost } from "../../../support/crash-scenario.ts";
import { run } from "../../cli/world.ts";

vi.mock("../../../../src/formats/drivers.ts", async (original) =>
  (await import("../../../formats/toy/registered.ts")).withToyDriver(await original()),
);
vi.mock("../../../../src/formats/targets.ts", async (original) =>
  (await import("../../../formats/toy/registered.ts")).withToyTarget(await original()),
);

const PATH = "/vm/disk.toy";
const PLAIN: ToyDescription = { virtualSize: 40 * 4096, data: [0, 1, 5] };
const toy = () => buildToy(PLAIN).bytes;
const volumeOf = (bytes: Uint8Array) => new MemoryVolume({ [PATH]: bytes });

function toyWith(text: string, hostOffset: number): Uint8Array {
  const bytes = Buffer.from(buildToy({ ...PLAIN, unused: 1 }).bytes);
  bytes.write(text, hostOffset < 0 ? bytes.length + hostOffset : hostOffset, "latin1");
  return bytes;
}

describe("names", () => {
  test("it is found by its name, by another one, and by its mark", async () => {
    expect(driverOf("plaything")).toBe(toyDriver);
    expect(isTold("plaything")).toBe(true);
    expect(await probeFormat(memoryStorage(toy()))).toBe(toyDriver);
    expect(await formatToldBy(memoryStorage(toy()))).toBe("toy");
    expect((await openImage(memoryStorage(toy()), "plaything")).format).toBe("toy");
  });

  test("its extension is an image's, and stands for it", () => {
    expect(imageExtensions()).toContain(".toy");
    expect(extensionsOf("toy")).toEqual([".toy"]);
    expect(extensionsOf("plaything")).toEqual([".toy"]);
    expect(nameFor("disk.toy", "qcow2")).toBe("disk.qcow2");
    expect(nameFor("disk.qcow2", "toy")).toBe("disk.toy");
    expect(nameFor("disk.vhd", "plaything")).toBe("disk.toy");
    expect(isImageName("folder/disk.TOY")).toBe(true);
  });

  test("a conversion to it by another name is one to it", async () => {
    const report = await convert(PATH, "plaything", {}, testHost(volumeOf(toy())));
    expect(report).toMatchObject({ sourceFormat: "toy", targetFormat: "toy", changed: false });
    const { bytes } = buildQedImage({ virtualSize: 40 * 4096, data: [0], backingName: "base.img" });
    expect((await plan(PATH, "plaything", {}, testHost(volumeOf(bytes)))).report.targetFormat).toBe("toy");
  });
});

describe("marks", () => {
  test.each([
    ["vpc and toy", "conectix", -512],
    ["vdi and toy", "\x7f\x10\xda\xbe", 64],
    ["toy and a boot sector", "\x55\xaa", 510],
  ])("another's mark makes it ambiguous, unless it was named: %s", async (names, text, hostOffset) => {
    const storage = memoryStorage(toyWith(text, hostOffset), "disk.toy");
    await expect(openImage(storage)).rejects.toMatchObject({
      kind: "unsupported",
      message: `Cannot tell the format of disk.toy: it looks like ${names}; name it with -f`,
    });
    expect((await openImage(storage, "toy")).format).toBe("toy");
  });

  test("it is no raw disk", async () => {
    await expect(openImage(memoryStorage(toy(), "disk.img"), "raw")).rejects.toThrow("it is a toy image; name it with");
  });
});

describe("commands", () => {
  test("info", async () => {
    const told = await info(PATH, {}, volumeOf(toy()));
    expect(told).toMatchObject({ format: "toy", virtualSize: 163_840, clusterSize: 4096, dirtyFlag: false });
    const lines = infoText(told).split("\n");
    expect(lines.slice(0, 3)).toEqual([`image: ${PATH}`, "file format: toy", "virtual size: 160 KiB (163840 bytes)"]);
    expect(lines).toContain("cluster_size: 4096");
  });

  test("map", async () => {
    expect(
      mapText(await map(PATH, {}, volumeOf(toy())))
        .split("\n")
        .slice(0, 3),
    ).toEqual([
      "Offset          Length          Mapped to       File",
      "0               0x2000          0x2000          /vm/disk.toy",
      "0x5000          0x1000          0x4000          /vm/disk.toy",
    ]);
  });

  test("check says that there is none, in words and by its exit code", async () => {
    const report = await check(PATH, { layout: true }, testHost(volumeOf(toy())));
    expect(report).toMatchObject({ format: "toy", verdict: "unsupported", exitCode: 63, findings: [] });
    expect(report.layout?.bytes).toMatchObject({ header: 4096, tables: 4096, data: 3 * 4096, free: 0 });
    const told = await run(`check ${PATH}`, { check: async () => report });
    expect(told.exitCode).toBe(63);
    expect(told.stderr).toContain("This image format does not support checks");
  });

  test("a repair finds nothing that it could mend, and writes nothing", async () => {
    const volume = volumeOf(toy());
    const report = await check(PATH, { repair: "all" }, testHost(volume));
    expect(report).toMatchObject({ exitCode: 63, changed: false, bytesWritten: 0 });
    expect(volume.snapshots()).toEqual({ [PATH]: toy() });
  });

  test("checksum and compare", async () => {
    const { bytes, guest } = buildToy(PLAIN);
    const volume = new MemoryVolume({ [PATH]: bytes, "/vm/disk.raw": guest });
    expect(await compare(PATH, "/vm/disk.raw", { formatB: "raw" }, volume)).toMatchObject({ identical: true });
    const [ours, raws] = [await checksum(PATH, {}, volume), await checksum("/vm/disk.raw", { format: "raw" }, volume)];
    expect(ours.checksum).toBe(raws.checksum);
  });

  test("plan, from it and to it", async () => {
    const from = await plan(PATH, "qcow2", {}, testHost(volumeOf(toy())));
    expect(from.text).toMatch(/^\/vm\/disk\.toy: toy -> qcow2, inside the file\n/);
    expect(from.text).toContain("none: all of it stays where it lies");
    const { bytes } = buildQedImage({ virtualSize: 40 * 4096, data: [0, 5] });
    const to = await plan(PATH, "toy", { options: { block_size: "8k" } }, testHost(volumeOf(bytes)));
    expect(to.text).toMatch(/qed -> toy, inside the file\n/);
    expect(to.text).toMatch(/cluster size +8 KiB/);
    expect(to.text).toMatch(/settling +nothing to write/);
  });

  test("what it can't hold is refused, all of it at once, and nothing is written", async () => {
    const { bytes } = buildQedImage({ virtualSize: 40 * 4096, data: [0], backingName: "base.img" });
    const { text, report } = await plan(PATH, "toy", {}, testHost(volumeOf(bytes)));
    expect(text).toContain("qed can't become toy:\n  - Cannot keep the backing file: a toy has none");
    expect(report.refused).toHaveLength(1);
  });

  test("the target's options are listed, and others refused by name", async () => {
    expect(targetOptions("plaything").map(({ name }) => name)).toEqual(["block_size"]);
    await expect(plan(PATH, "toy", { options: { cluster_size: "4k" } }, testHost(volumeOf(toy())))).rejects.toThrow(
      "Cannot use option cluster_size for toy: it knows block_size",
    );
    await expect(plan(PATH, "toy", { options: { block_size: "3k" } }, testHost(volumeOf(toy())))).rejects.toThrow(
      "Cannot use block_size=3072: it is no power of two from 4k to 2M",
    );
  });
});
