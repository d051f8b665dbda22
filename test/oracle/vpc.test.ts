/** Fixed VHDs by qemu-img, and two readers that share no code with it (libvhdi, 7-Zip): the same guest, the same size. */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RangeSet } from "../../src/bytes/range-set.ts";
import { check } from "../../src/convert/check.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";
import { rawDriver } from "../../src/formats/raw/driver.ts";
import { vpcTarget } from "../../src/formats/vpc/target.ts";
import { ExtentState, ExtentTableBuilder } from "../../src/image/extent.ts";
import type { Identity } from "../../src/image/fresh-id.ts";
import type { TargetOptionValues } from "../../src/image/target-options.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { buildFooter, buildMkimgVhd, LARGEST } from "../formats/vpc/builder.ts";
import { vpcAccepted } from "../formats/vpc/cases.ts";
import { readVpcNaively } from "../formats/vpc/naive-reader.ts";
import { openWith } from "../support/open-with.ts";
import { infoAsQemu, infoTextAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-vpc-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const guestBySevenZip = (name: string): Buffer =>
  execFileSync("7zz", ["e", "-so", "-tvhd", at(name)], { maxBuffer: 2 ** 27, stdio: ["ignore", "pipe", "ignore"] });

/** What `vhdiinfo` calls the media size, in bytes. */
function mediaSizeOf(name: string): number {
  const said = run("vhdiinfo", name);
  expect(said).toMatch(/Disk type\s*: Fixed/);
  return Number(/Media size\s*:.*?(\d+) bytes/.exec(said)?.[1]);
}

describe.each([
  ["20M", "subformat=fixed"],
  ["20M", "subformat=fixed,force_size=on"],
  ["3000320", "subformat=fixed,force_size=on"],
  ["5M", "subformat=fixed,force_size=on"],
])("of qemu-img's making: %s, %s", (size, options) => {
  beforeAll(() => {
    run("qemu-img", "create", "-q", "-f", "vpc", "-o", options, "disk.vhd", size);
    const writes = ["write -P 1 0 64k", "write -P 2 1M 4k", "write -P 3 2929k 512"];
    run("qemu-io", "-t", "unsafe", "-f", "vpc", ...writes.flatMap((each) => ["-c", each]), "disk.vhd");
  });

  test("info", async () => {
    const found = await info(at("disk.vhd"));
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "-f", "vpc", "--output=json", at("disk.vhd"))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", "-f", "vpc", at("disk.vhd"))));
  });

  test("check", async () => {
    expect((await check(at("disk.vhd"))).exitCode).toBe(63);
  });

  test("map and guest", async () => {
    run("qemu-img", "convert", "-f", "vpc", "-O", "raw", "disk.vhd", "disk.raw");
    expect(await compare(at("disk.vhd"), at("disk.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    expect((await info(at("disk.raw"), { format: "raw" })).virtualSize).toBe((await info(at("disk.vhd"))).virtualSize);
    for (const { start, offset } of (await map(at("disk.vhd"))).entries) expect(offset ?? start).toBe(start);
    expect(guestBySevenZip("disk.vhd").equals(readFileSync(at("disk.raw")))).toBe(true);
    expect(mediaSizeOf("disk.vhd")).toBe(readFileSync(at("disk.raw")).length);
  });
});

test("of 10 GiB, of a size that Azure refuses", async () => {
  run("qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=fixed", "large.vhd", "10737893376");
  const found = await info(at("large.vhd"));
  expect(found.virtualSize).toBe(10_737_893_376);
  expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "-f", "vpc", "--output=json", at("large.vhd"))));
});

test.each(vpcAccepted.map(({ name, bytes }) => [name, bytes] as const))("%s", async (name, bytes) => {
  writeFileSync(at("disk.vhd"), bytes);
  writeFileSync(at("disk.raw"), readVpcNaively(bytes));
  const said = run("qemu-img", "compare", "-f", "vpc", "-F", "raw", "disk.vhd", "disk.raw");
  expect(said).toContain("Images are identical.");
  const { virtualSize } = await info(at("disk.vhd"));
  expect(JSON.parse(run("qemu-img", "info", "-f", "vpc", "--output=json", "disk.vhd"))["virtual-size"]).toBe(
    virtualSize,
  );
  expect((await checksum(at("disk.vhd"))).checksum).toBe((await checksum(at("disk.raw"), { format: "raw" })).checksum);
  // 7-Zip takes no reserved bytes and nothing between disk and footer.
  if (!/reserved|before-the-footer/.test(name)) {
    expect(guestBySevenZip("disk.vhd").equals(readFileSync(at("disk.raw")))).toBe(true);
  }
  // libvhdi takes version 1.0 and a data offset of all ones alone, and the original size for the disk's.
  if (!/version|data-offset|original-size/.test(name)) expect(mediaSizeOf("disk.vhd")).toBe(virtualSize);
});

describe("which of two sizes QEMU takes", () => {
  const [current, chs] = [5_242_880, 150 * 4 * 17 * 512];
  const qemuSizeOf = (creator: string, geometry: readonly [number, number, number] = [150, 4, 17]): number => {
    writeFileSync(at("sizes.vhd"), "");
    truncateSync(at("sizes.vhd"), current);
    writeFileSync(at("sizes.vhd"), buildFooter({ creator, currentSize: current, geometry }), { flag: "a" });
    return JSON.parse(run("qemu-img", "info", "-f", "vpc", "--output=json", "sizes.vhd"))["virtual-size"];
  };

  test.each(["win ", "qem2", "d2v ", "tap\0", "CTXS"])("the current one of %j, and so do we", async (creator) => {
    expect(qemuSizeOf(creator)).toBe(current);
    expect((await info(at("sizes.vhd"))).virtualSize).toBe(current);
  });

  test.each(["vpc ", "qemu"])("the geometry's of %j, and we refuse", async (creator) => {
    expect(qemuSizeOf(creator)).toBe(chs);
    await expect(info(at("sizes.vhd"))).rejects.toThrow("programs differ in which they take");
  });

  // 7.2 the geometry's, 10.0 and 11.1 the current one.
  test.each(["*img", "vbox", "wa\0\0", "d2v\0", "tap ", "\0\0\0\0"])(
    "of %j another one by its version, and we refuse",
    async (creator) => {
      expect([chs, current]).toContain(qemuSizeOf("vs  "));
      expect(qemuSizeOf(creator)).toBe(qemuSizeOf("vs  "));
      await expect(info(at("sizes.vhd"))).rejects.toThrow("programs differ in which they take");
    },
  );

  test("the current one of anybody, where the geometry is the largest", async () => {
    for (const creator of ["vpc ", "qemu", "*img"]) {
      expect(qemuSizeOf(creator, LARGEST)).toBe(current);
      expect((await info(at("sizes.vhd"))).virtualSize).toBe(current);
    }
  });

  test("others take the current one of mkimg's file", () => {
    const { bytes, guest } = buildMkimgVhd();
    writeFileSync(at("mkimg.vhd"), bytes);
    expect(mediaSizeOf("mkimg.vhd")).toBe(guest.length);
    expect(guestBySevenZip("mkimg.vhd").equals(guest)).toBe(true);
  });
});

describe("of our making", () => {
  /** As a conversion of a raw file makes it: it grows, then gets its footer. */
  async function make(name: string, options: TargetOptionValues, identity?: Identity): Promise<number> {
    const size = statSync(at("guest.raw")).size;
    const raw = await openWith(rawDriver, memoryStorage(new Uint8Array(size), "guest.raw"));
    const facts = raw.getConversionOptions();
    const draft = vpcTarget.openConversionTarget(facts, options, new Set());
    const mapped = vpcTarget.map(draft, await raw.getMapping(), { oldFileSize: size, additiveStart: size });
    const { hostOffset, sector } = vpcTarget.copyHeader(mapped, facts, new Uint8Array(512), new RangeSet(), {
      identity,
    });
    copyFileSync(at("guest.raw"), at(name));
    truncateSync(at(name), hostOffset);
    writeFileSync(at(name), sector, { flag: "a" });
    return hostOffset;
  }

  test.each([
    [5 << 20, 5 << 20, { subformat: "fixed" }],
    [3_000_000, 3 << 20, { subformat: "fixed" }],
    [3_000_000, 3_000_320, { subformat: "fixed", force_size: true }],
    [512, 512, { subformat: "fixed", force_size: true }],
    [20 << 20, 32 << 20, { subformat: "fixed", align: 32 << 20 }],
  ] as const)("%d bytes become %d, to three readers", async (size, grown, options) => {
    writeFileSync(at("guest.raw"), Buffer.alloc(size, "a guest's bytes"));
    expect(await make("ours.vhd", options)).toBe(grown);
    expect(statSync(at("ours.vhd")).size).toBe(grown + 512);
    expect(JSON.parse(run("qemu-img", "info", "-f", "vpc", "--output=json", "ours.vhd"))["virtual-size"]).toBe(grown);
    expect(run("qemu-img", "compare", "-f", "vpc", "-F", "raw", "ours.vhd", "guest.raw")).toContain(
      "Images are identical.",
    );
    const guest = guestBySevenZip("ours.vhd");
    expect(guest.subarray(0, size).equals(readFileSync(at("guest.raw")))).toBe(true);
    expect([guest.length, guest.subarray(size).every((byte) => byte === 0)]).toEqual([grown, true]);
    expect(mediaSizeOf("ours.vhd")).toBe(grown);
    expect((await info(at("ours.vhd"))).virtualSize).toBe(grown);
  });

  test.each([21_475_270_656, 44_716_382_208, 10_737_893_376, 2040 * 2 ** 30])(
    "%d bytes become whole MiB",
    async (size) => {
      const facts = {
        ...(await openWith(rawDriver, memoryStorage(new Uint8Array(0)))).getConversionOptions(),
        virtualSize: size,
      };
      const draft = vpcTarget.openConversionTarget(facts, { subformat: "fixed" }, new Set());
      const extents = new ExtentTableBuilder();
      extents.append(size, ExtentState.data, 0);
      const mapped = vpcTarget.map(draft, extents.finish(size), { oldFileSize: size, additiveStart: size });
      const { hostOffset, sector } = vpcTarget.copyHeader(mapped, facts, new Uint8Array(512), new RangeSet());
      writeFileSync(at("far.vhd"), "");
      truncateSync(at("far.vhd"), hostOffset);
      writeFileSync(at("far.vhd"), sector, { flag: "a" });
      const said = JSON.parse(run("qemu-img", "info", "-f", "vpc", "--output=json", "far.vhd"))["virtual-size"];
      expect([said % 2 ** 20, said >= size, said - size < 2 ** 20]).toEqual([0, true, true]);
      expect(mediaSizeOf("far.vhd")).toBe(said);
      rmSync(at("far.vhd"));
    },
  );

  test("an id that libvhdi tells, the same again where it comes from a seed", async () => {
    const idOf = (name: string) => /Identifier\s*: (\S+)/.exec(run("vhdiinfo", name))?.[1];
    writeFileSync(at("guest.raw"), Buffer.alloc(1 << 20));
    for (const name of ["a.vhd", "b.vhd"]) await make(name, { subformat: "fixed" }, { seed: "ab" });
    expect(readFileSync(at("a.vhd")).equals(readFileSync(at("b.vhd")))).toBe(true);
    await make("c.vhd", { subformat: "fixed" });
    expect(idOf("a.vhd")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(idOf("c.vhd")).not.toBe(idOf("a.vhd"));
  });
});

describe("refused by name", () => {
  test("as raw, unless that is said twice", async () => {
    run("qemu-img", "create", "-q", "-f", "vpc", "dynamic.vhd", "4M");
    for (const name of ["dynamic.vhd", "disk.vhd"]) {
      const raw = { format: "raw" } as const;
      await expect(info(at(name), raw)).rejects.toThrow("it is a vpc image; name it with -f vpc");
      expect((await info(at(name), { ...raw, allowMarkedRaw: true })).format).toBe("raw");
    }
  });
});
