/** What real files of other vendors' programs tell of dynamic VHD, Parallels and VDI, each made here; what their kits' cases have stands there. */

import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map, mapText } from "../../src/convert/reading/map.ts";
import { buildParallels } from "../formats/parallels/builder.ts";
import { buildDynamic } from "../formats/vpc/dynamic/builder.ts";
import { info as qemuInfo, run } from "../support/qemu-tools.ts";
import { seededRandom } from "../support/random.ts";

const MiB = 2 ** 20;

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-vendors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("dynamic VHD 3: 126 blocks in no order, two sizes", () => {
  const [CURRENT, CHS] = [136_365_211_648, 136_363_130_880];
  const GEOMETRY = [65_278, 16, 255] as const;
  const random = seededRandom(146);
  const blockCount = Math.ceil(CURRENT / (2 * MiB));
  const blocks = random.shuffle(Array.from({ length: blockCount }, (_, index) => index)).slice(0, 126);
  const LENGTH = 2 * MiB + 512;

  /** Its blocks are holes but for a few bytes. */
  function write(name: string, creator: string): void {
    const start = 2 * MiB;
    const entries = Object.fromEntries(blocks.map((block, index) => [block, (start + index * LENGTH) / 512]));
    const { bytes } = buildDynamic({
      virtualSize: CURRENT,
      blockSize: 2 * MiB,
      data: [],
      creator,
      geometry: GEOMETRY,
      entries,
    });
    const file = openSync(at(name), "w");
    writeSync(file, bytes, 0, bytes.length - 512, 0);
    for (const [index, block] of blocks.entries()) {
      writeSync(file, Buffer.alloc(512, 0xff), 0, 512, start + index * LENGTH);
      writeSync(file, Buffer.from(`block ${block}     `), 0, 11, start + index * LENGTH + 512);
    }
    ftruncateSync(file, start + blocks.length * LENGTH);
    writeSync(file, bytes, bytes.length - 512, 512, start + blocks.length * LENGTH);
    closeSync(file);
  }

  test("disk2vhd's: refused with both sizes, read by either as it was chosen, with all of its blocks", async () => {
    write("d2v.vhd", "d2v\0");
    await expect(info(at("d2v.vhd"))).rejects.toThrow(
      /136365211648 bytes, its geometry 65278 × 16 × 255 comes to 136363130880/,
    );
    for (const [choice, size] of [
      ["current", CURRENT],
      ["chs", CHS],
    ] as const) {
      const { report } = await plan(at("d2v.vhd"), "qcow2", { options: { size_from: choice } });
      expect(report).toMatchObject({ refused: [], virtualSize: size });
    }
  });

  test("Hyper-V 2012 R2's: the current size, as QEMU has it", async () => {
    write("hyperv.vhd", "win ");
    expect((await info(at("hyperv.vhd"))).virtualSize).toBe(CURRENT);
    expect((await qemuInfo(at("hyperv.vhd"), "vpc"))["virtual-size"]).toBe(CURRENT);
    expect((await check(at("hyperv.vhd"))).exitCode).toBe(0);
    const ours = await map(at("hyperv.vhd"));
    expect(ours.entries.filter(({ data }) => data).length).toBeGreaterThan(100);
    expect(`${mapText(ours)}\n`).toBe((await run("qemu-img", ["map", "-f", "vpc", at("hyperv.vhd")])).toString());
  });
});

test("Parallels 2: both magics hold the same guest, in tracks of 64 KiB", async () => {
  const DISK = { virtualSize: 10 * 65_536, trackSectors: 128, data: [0, 3, 9] };
  writeFileSync(at("new.hds"), buildParallels(DISK).bytes);
  writeFileSync(at("old.hds"), buildParallels({ ...DISK, magic: "WithoutFreeSpace" }).bytes);
  expect(await compare(at("new.hds"), at("old.hds"))).toMatchObject({ identical: true });
  await run("qemu-img", ["compare", "-f", "parallels", "-F", "parallels", at("new.hds"), at("old.hds")]);
});

/** That they are the same where that is asked for, test/oracle/front-targets.test.ts shows. */
test("VDI 1: each conversion has ids of its own", async () => {
  writeFileSync(at("disk.raw"), Buffer.alloc(2 * MiB, "guest "));
  const ids: string[] = [];
  for (let turn = 0; turn < 2; turn++) {
    copyFileSync(at("disk.raw"), at("disk.vdi"));
    await convert(at("disk.vdi"), "vdi", { format: "raw" });
    ids.push(readFileSync(at("disk.vdi")).subarray(392, 424).toString("hex"));
  }
  expect(new Set(ids.flatMap((id) => [id.slice(0, 32), id.slice(32)])).size).toBe(4);
});
