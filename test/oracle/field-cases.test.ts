/** What real files and reports tell of raw, fixed VHD, qcow2 and QED, each made here; what other suites have stands there. */

import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatSize } from "../../src/bytes/size-text.ts";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";
import { buildQcow2Image } from "../formats/qcow2/builder.ts";
import { readQcow2Guest } from "../formats/qcow2/naive-reader.ts";
import { buildMkimgVhd } from "../formats/vpc/builder.ts";
import { assertGuest, info as qemuInfo, run } from "../support/qemu-tools.ts";

const MiB = 2 ** 20;
const VHD = { subformat: "fixed" } as const;

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-field-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A raw disk of holes. */
async function sparse(name: string, size: number): Promise<string> {
  await writeFile(at(name), "a boot loader");
  await truncate(at(name), size);
  return at(name);
}

describe("fixed VHD 1: sizes that Azure has refused become whole MiB, and the plan says so", () => {
  test.each([21_475_270_656, 44_716_382_208, 10_737_893_376])("%d bytes", async (size) => {
    const path = await sparse("azure.raw", size);
    const whole = Math.ceil(size / MiB) * MiB;
    const { text, report } = await plan(path, "vpc", { format: "raw", options: VHD });
    expect(report).toMatchObject({ virtualSize: whole, fileSizeAfter: whole + 512 });
    // With the footer's 512 bytes.
    expect(text).toContain(`(+${formatSize(whole - size + 512)})`);
    await convert(path, "vpc", { format: "raw", options: VHD });
    expect((await stat(path)).size).toBe(whole + 512);
    expect((await qemuInfo(path, "vpc"))["virtual-size"]).toBe(whole);
    await rm(path);
  });
});

describe("fixed VHD 3: mkimg's two sizes are never cut silently", () => {
  test("refused with both sizes and what lies between; then as it was chosen", async () => {
    const { bytes, guest, chsSize } = buildMkimgVhd();
    const [path, raw] = [at("mkimg.vhd"), at("mkimg.raw")];
    await writeFile(path, bytes);
    await writeFile(raw, guest);
    const refusal = convert(path, "raw", {});
    await expect(refusal).rejects.toThrow(/5242880 bytes.*5222400.*GPT's backup header at 0x4ffe00/);
    await convert(path, "raw", { options: { size_from: "current" } });
    await assertGuest(path, "raw", raw);
    expect((await stat(path)).size).toBe(guest.length);
    // What the other size leaves between disk and footer is told by name before anything is written.
    await writeFile(path, bytes);
    const chs = { options: { size_from: "chs" } };
    expect((await plan(path, "raw", chs)).report.refused.join()).toContain(`bytes ${chsSize} to ${guest.length}`);
    await expect(convert(path, "raw", chs)).rejects.toThrow(`bytes ${chsSize} to ${guest.length}`);
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
    const part = `driver=raw,size=${chsSize},file.driver=file,file.filename=${path}`;
    await run("qemu-img", ["convert", "--image-opts", part, "-O", "raw", at("copy.raw")]);
    expect(Buffer.compare(await readFile(at("copy.raw")), guest.subarray(0, chsSize))).toBe(0);
  });
});

describe("qcow2 1: a file that ends inside its last cluster reads as zeros there, to every target", () => {
  const tail = deflateRawSync(Buffer.alloc(4096, "tail of the disk "), { windowBits: 12 });
  const shapes = {
    data: { description: { clusterBits: 12 }, missing: 1500 },
    compressed: { description: { clusterBits: 12, compressed: tail }, missing: 4096 - tail.length },
  };
  const targets: readonly (readonly [string, Parameters<typeof convert>[2]])[] = [
    ["raw", {}],
    ["vpc", { options: { ...VHD, force_size: "on" } }],
    ["qed", {}],
    ["qcow2", { options: { cluster_size: "16k" } }],
    ["qcow2", { compress: true }],
    ["qcow2", { compact: true }],
  ];
  const cells = Object.keys(shapes).flatMap((shape) =>
    targets.map(([to, options]) => ({ shape, to, options, words: JSON.stringify(options) })),
  );
  test.each(cells)("its $shape, to $to $words", async ({ shape, to, options }) => {
    const { description, missing } = shapes[shape as keyof typeof shapes];
    const { bytes } = buildQcow2Image(description);
    const whole = Buffer.from(bytes);
    if (shape === "data") whole.fill(0, whole.length - missing);
    const [path, raw] = [at("short.img"), at("short.raw")];
    await writeFile(path, bytes.subarray(0, bytes.length - missing));
    if (shape === "data") await writeFile(raw, readQcow2Guest(whole));
    else await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", path, raw]);
    await convert(path, to, options);
    await assertGuest(path, to, raw);
    if (to === "qcow2" || to === "qed") expect((await check(path)).exitCode).toBe(0);
  });
});

describe("qcow2, QED 4: disks of 16 TiB and 1 PiB with nothing in them, of which every byte would take for ever", () => {
  test.each([
    ["qcow2", "16T", "cluster_size=64k"],
    ["qcow2", "1P", "cluster_size=2M"],
    ["qed", "16T", "cluster_size=64k,table_size=8"],
  ])("%s of %s", async (format, size, options) => {
    const path = at(`empty-${size}.${format}`);
    await run("qemu-img", ["create", "-q", "-f", format, "-o", options, path, size]);
    await copyFile(path, `${path}.copy`);
    const { virtualSize } = await info(path);
    expect(virtualSize).toBe(size === "1P" ? 2 ** 50 : 2 ** 44);
    expect((await map(path)).entries).toHaveLength(1);
    expect(await compare(path, `${path}.copy`)).toMatchObject({ identical: true });
    // A digest is over those of all blocks: of so many zeros too that takes a second for each 3 TiB, and is not asked for.
    await convert(path, format === "qed" ? "qcow2" : "qed", { checksum: "none" }).catch((error: Error) => {
      // QED has no tables for 1 PiB.
      expect([size, error.message]).toEqual(["1P", expect.stringMatching(/table_size|cluster_size|tables/)]);
    });
    expect((await check(path)).exitCode).toBe(0);
  });
});
