/** Dynamic VHDs against qemu-img, 7-Zip and libvhdi: what we read, check and convert, of qemu-img's making and byte by byte. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map, mapText } from "../../src/convert/reading/map.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import { LARGEST } from "../formats/vpc/builder.ts";
import { buildDynamic } from "../formats/vpc/dynamic/builder.ts";
import { dynamicCases } from "../formats/vpc/dynamic/cases.ts";
import { readDynamicNaively } from "../formats/vpc/dynamic/naive-reader.ts";
import { readByOthers } from "../formats/vpc/other-readers.ts";
import { IMAGE_PATH, testHost } from "../support/crash-scenario.ts";
import { cutAtCommit } from "../support/cut-at-commit.ts";
import { sampled } from "../support/oracle-sample.ts";
import { infoAsQemu, infoTextAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

const MiB = 1024 * 1024;
let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });
const virtualSizeOf = (name: string): number =>
  JSON.parse(run("qemu-img", "info", "-f", "vpc", "--output=json", name))["virtual-size"];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-dynamic-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WRITES = ["write -P 5 5M 64k", "write -P 6 9M 4k", "write -P 7 0 512", "write -z 4M 1M"];

function madeByQemu(options: string, size: string): Buffer {
  run("qemu-img", "create", "-q", "-f", "vpc", "-o", `subformat=dynamic${options}`, "disk.vhd", size);
  run("qemu-io", "-t", "unsafe", "-f", "vpc", ...WRITES.flatMap((each) => ["-c", each]), "disk.vhd");
  run("qemu-img", "convert", "-f", "vpc", "-O", "raw", "disk.vhd", "disk.raw");
  return readFileSync(at("disk.raw"));
}

describe.each([
  [",force_size=on", "10M"],
  [",force_size=on", "10486272"],
])("of qemu-img's making: %s %s", (options, size) => {
  test("info, map, check and guest, to four readers", async () => {
    madeByQemu(options, size);
    const found = await info(at("disk.vhd"));
    expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "-f", "vpc", "--output=json", at("disk.vhd"))));
    expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", "-f", "vpc", at("disk.vhd"))));
    expect(`${mapText(await map(at("disk.vhd")))}\n`).toBe(run("qemu-img", "map", "-f", "vpc", at("disk.vhd")));
    expect(await check(at("disk.vhd"))).toMatchObject({ exitCode: 0, verdict: "clean", warnings: 0 });
    expect(await compare(at("disk.vhd"), at("disk.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    expect((await checksum(at("disk.vhd"), { algorithm: "sha256" })).checksum).toBe(
      run("sha256sum", "disk.raw").split(" ")[0],
    );
    await readByOthers(at("disk.vhd"), at("disk.raw"));
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["qcow2", {}],
    ["qcow2", { cluster_size: "512" }],
    ["qed", { cluster_size: "64k" }],
    ["raw", {}],
    ["vpc", { subformat: "fixed", force_size: "on" }],
  ])("to %s, %j", async (format, wished) => {
    const guest = madeByQemu(options, size);
    const before = readFileSync(at("disk.vhd"));
    if (format === "qcow2" || format === "qed") {
      await convert(at("disk.vhd"), format, { options: wished, keepUndo: true });
      await rollback(at("disk.vhd"));
      expect(readFileSync(at("disk.vhd")).equals(before)).toBe(true);
    }
    const isBySector = wished.cluster_size === "512";
    const report = await convert(at("disk.vhd"), format, { options: wished, ...(isBySector && { compact: false }) });
    expect(report).toMatchObject({ virtualSize: guest.length, changed: true });
    // Blocks lie at sectors, which clusters of a sector can name.
    if (isBySector) expect(report.bytesMoved).toBe(0);
    expect(run("qemu-img", "compare", "-f", format, "-F", "raw", "disk.vhd", "disk.raw")).toContain("identical");
    if (format === "qcow2" || format === "qed") run("qemu-img", "check", "-f", format, "disk.vhd");
  });
});

test("new tables lie behind all that the source could grow to, and come nearer but where the old bytes are kept", async () => {
  run("qemu-img", "create", "-q", "-f", "vpc", "-o", "force_size=on", "far.vhd", "40G");
  run("qemu-io", "-t", "unsafe", "-f", "vpc", "-c", "write -P 3 39G 64k", "far.vhd");
  const { size: before } = statSync(at("far.vhd"));
  const kept = await convert(at("far.vhd"), "qcow2", { keepUndo: true });
  expect(kept.fileSizeAfter).toBeGreaterThan(40 * 1024 * MiB);
  await rollback(at("far.vhd"));
  expect(statSync(at("far.vhd")).size).toBe(before);
  const { fileSizeAfter } = await convert(at("far.vhd"), "qcow2");
  expect(fileSizeAfter).toBeLessThan(before + MiB);
  run("qemu-img", "check", "-f", "qcow2", "far.vhd");
});

test("by its geometry, to which qemu-img rounds up without force_size", async () => {
  run("qemu-img", "create", "-q", "-f", "vpc", "disk.vhd", "10M");
  expect((await info(at("disk.vhd"))).virtualSize).toBe(virtualSizeOf("disk.vhd"));
});

/** 7-Zip takes no longer table and no reserved bytes, libvhdi version 1.0 alone. */
const OTHERS_LACK = /a-longer-table|a-block-behind|reserved|version/;
const accepted = dynamicCases.filter(({ name }) => name.startsWith("accept/"));
test.each(sampled(accepted, 2).map(({ name, bytes }) => [name, bytes] as const))(
  "%s: to four readers",
  async (name, bytes) => {
    writeFileSync(at("case.vhd"), bytes);
    const { virtualSize } = await info(at("case.vhd"));
    expect(virtualSizeOf("case.vhd")).toBe(virtualSize);
    if (virtualSize > 64 * MiB) return;
    writeFileSync(at("case.raw"), readDynamicNaively(bytes));
    expect(run("qemu-img", "compare", "-f", "vpc", "-F", "raw", "case.vhd", "case.raw")).toContain("identical");
    expect(await compare(at("case.vhd"), at("case.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    if (!OTHERS_LACK.test(name)) await readByOthers(at("case.vhd"), at("case.raw"));
  },
);

describe("which of two sizes QEMU takes", () => {
  const [current, chs] = [40 * 4096, 4 * 4 * 17 * 512];
  const sizeOf = (creator: string, geometry: readonly [number, number, number] = [4, 4, 17]): number => {
    const { bytes } = buildDynamic({ virtualSize: current, data: [0, 39], creator, geometry });
    writeFileSync(at("sizes.vhd"), bytes);
    return virtualSizeOf("sizes.vhd");
  };

  test("the current one where a fixed disk's is taken, else we refuse", async () => {
    for (const creator of ["win ", "qem2", "d2v ", "tap\0", "CTXS"]) {
      expect(sizeOf(creator)).toBe(current);
      expect((await info(at("sizes.vhd"))).virtualSize).toBe(current);
    }
    for (const creator of ["vpc ", "qemu", "vbox", "wa\0\0", "*img", "d2v\0"]) {
      expect([chs, current]).toContain(sizeOf(creator));
      await expect(info(at("sizes.vhd"))).rejects.toThrow("programs differ in which they take");
    }
    expect(sizeOf("vpc ", LARGEST)).toBe(current);
    expect((await info(at("sizes.vhd"))).virtualSize).toBe(current);
  });
});

test("a bitmap that hides data shows zeros to libvhdi's reader, and is refused", async () => {
  const { bytes, guest } = buildDynamic({ virtualSize: 5 * 4096, data: [1], isWritten: (_, sector) => sector !== 0 });
  writeFileSync(at("hidden.vhd"), bytes);
  writeFileSync(at("hidden.raw"), guest);
  expect(run("qemu-img", "compare", "-f", "vpc", "-F", "raw", "hidden.vhd", "hidden.raw")).toContain("identical");
  await expect(convert(at("hidden.vhd"), "qcow2")).rejects.toThrow(
    "says that nothing was written at guest offset 0x1000",
  );
  // By its own word QEMU's reading is enough.
  await convert(at("hidden.vhd"), "qcow2", { check: false });
  expect(run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", "hidden.vhd", "hidden.raw")).toContain("identical");
});

/** QEMU puts a new block behind the last one, and leaves beside what a guest writes to it what lies there. */
test("a guest that writes to the disk before the commit reads zeros where it wrote none, and keeps what it wrote", async () => {
  const { bytes, guest } = buildDynamic({ virtualSize: 40 * 4096, data: [0, 1, 5], seed: 2 });
  for (const recover of [resume, rollback]) {
    const state = await cutAtCommit(bytes, "qcow2", { options: { cluster_size: "4k" } }, "prepared");
    writeFileSync(at("used.vhd"), state[IMAGE_PATH] as Uint8Array);
    const wanted = Buffer.from(guest);
    for (const [pattern, start, length] of [
      [0x31, 7 * 4096 + 512, 512],
      [0x32, 30 * 4096, 1024],
      [0x33, 4096, 512],
    ] as const) {
      wanted.fill(pattern, start, start + length);
      run("qemu-io", "-f", "vpc", "-c", `write -P ${pattern} ${start} ${length}`, "used.vhd");
    }
    writeFileSync(at("wanted.raw"), wanted);
    expect(run("qemu-img", "compare", "-f", "vpc", "-F", "raw", "used.vhd", "wanted.raw")).toContain("identical");
    const volume = new MemoryVolume({ ...state, [IMAGE_PATH]: readFileSync(at("used.vhd")) });
    if (recover === rollback) {
      await expect(rollback(IMAGE_PATH, {}, testHost(volume))).rejects.toMatchObject({ kind: "changed-underneath" });
      continue;
    }
    await resume(IMAGE_PATH, {}, testHost(volume));
    writeFileSync(at("used.qcow2"), volume.snapshot(IMAGE_PATH));
    expect(run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", "used.qcow2", "wanted.raw")).toContain("identical");
    run("qemu-img", "check", "-f", "qcow2", "used.qcow2");
  }
});
