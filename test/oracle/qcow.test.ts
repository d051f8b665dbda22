/** qcow of version 1 by qemu-img, and two readers that share no code with it (libqcow, 7-Zip): the same guest, the same words. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map, mapText } from "../../src/convert/reading/map.ts";
import { buildQcow, type QcowDescription } from "../formats/qcow/builder.ts";
import { readByOthers } from "../formats/qcow/other-readers.ts";
import { infoAsQemu, infoTextAsQemu, mapAsQemu, qemuInfo, qemuInfoText } from "../support/qemu-words.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-qcow-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function expectTold(name: string): Promise<void> {
  const found = await info(at(name));
  expect(infoAsQemu(found)).toEqual(qemuInfo(run("qemu-img", "info", "--output=json", at(name))));
  expect(infoTextAsQemu(found)).toBe(qemuInfoText(run("qemu-img", "info", at(name))));
}

/** What older ones do not tell of a qcow is which part of it is compressed. */
async function expectMapped(name: string): Promise<void> {
  const found = await map(at(name));
  const { entries } = found;
  expect(`${mapText(found)}\n`).toBe(run("qemu-img", "map", at(name)));
  expect(mapAsQemu(entries)).toEqual(JSON.parse(run("qemu-img", "map", "--output=json", at(name))));
}

describe.each([
  ["4M", ["write -P 1 0 64k", "write -P 2 1M 4k", "write -P 3 3929k 512", "write -z 100k 30k"]],
  ["1049088", ["write -P 6 1048576 512", "write -P 5 0 4096", "write -P 7 100k 512"]],
  ["512", ["write -P 6 0 512"]],
  ["4300M", ["write -P 6 4290M 64k", "write -P 1 0 512", "write -P 9 4095M 2M"]],
  ["3T", []],
])("of qemu-img's making: %s", (size, writes) => {
  test("info, check, map and guest", async () => {
    run("qemu-img", "create", "-q", "-f", "qcow", "disk.qcow", size);
    if (writes.length > 0)
      run("qemu-io", "-t", "unsafe", "-f", "qcow", ...writes.flatMap((each) => ["-c", each]), at("disk.qcow"));
    await expectTold("disk.qcow");
    // Of an empty one of 3 TiB qemu-img asks for each cluster, which takes minutes.
    if (size !== "3T") await expectMapped("disk.qcow");
    const checked = await check(at("disk.qcow"));
    expect([checked.exitCode, checked.corruptions, checked.leaks]).toEqual([0, 0, 0]);
    if (size === "3T") return;
    run("qemu-img", "convert", "-f", "qcow", "-O", "raw", "disk.qcow", "disk.raw");
    expect(await compare(at("disk.qcow"), at("disk.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    await convert(at("disk.qcow"), "qcow2");
    expect(run("qemu-img", "check", "disk.qcow")).toContain("No errors were found");
    expect(run("qemu-img", "compare", "-F", "raw", "disk.qcow", "disk.raw")).toContain("Images are identical.");
  });
});

test("over a backing file: named and told, never followed without consent", async () => {
  writeFileSync(at("base.raw"), Buffer.alloc(2 ** 20, "base "));
  run("qemu-img", "create", "-q", "-f", "qcow", "-b", "base.raw", "-F", "raw", "disk.qcow");
  run("qemu-io", "-t", "unsafe", "-f", "qcow", "-c", "write -P 3 100k 3k", at("disk.qcow"));
  await expectTold("disk.qcow");
  await expect(checksum(at("disk.qcow"))).rejects.toThrow(/backing file/);
  // It is probed, which nobody may have consented to.
  await expect(checksum(at("disk.qcow"), { backingChain: true })).rejects.toMatchObject({ name: "ImageError" });
  run("qemu-img", "convert", "-f", "qcow", "-O", "raw", "disk.qcow", "guest.raw");
  const { guestChecksum } = await convert(at("disk.qcow"), "qcow2");
  expect(guestChecksum?.covers).toBe("layer");
  expect(run("qemu-img", "info", "disk.qcow")).toContain("backing file: base.raw");
  expect(run("qemu-img", "compare", "-F", "raw", "disk.qcow", "guest.raw")).toContain("Images are identical.");
});

test("an encrypted one is told so, and nothing is read or converted", async () => {
  const secret = ["--object", "secret,id=s,data=abc", "-o", "encrypt.format=aes,encrypt.key-secret=s"] as const;
  run("qemu-img", "create", "-q", "-f", "qcow", ...secret, "disk.qcow", "1M");
  await expectTold("disk.qcow");
  const before = readFileSync(at("disk.qcow"));
  await expect(checksum(at("disk.qcow"))).rejects.toThrow(/it is encrypted \(aes\)/);
  await expect(convert(at("disk.qcow"), "qcow2")).rejects.toThrow(/encrypt/);
  expect(readFileSync(at("disk.qcow")).equals(before)).toBe(true);
});

/** qemu-img of today writes no compressed qcow: made by hand, read by all three. */
describe.each<[string, QcowDescription]>([
  ["clusters of 4 KiB", { virtualSize: 300 * 4096, data: [0, 7, 299], compressed: [1, 2, 3, 100, 101] }],
  [
    "clusters of 512",
    { clusterSize: 512, l2Bits: 12, virtualSize: 900 * 512, data: [0, 899], compressed: [1, 2, 500] },
  ],
  ["clusters of 64 KiB", { clusterSize: 65_536, virtualSize: 20 * 65_536, data: [3, 19], compressed: [0, 1, 7] }],
  [
    "at odd sectors",
    { virtualSize: 300 * 4096, sectorsBetween: 3, data: [0, 7, 299], compressed: [1, 2], l1: "apart" },
  ],
  ["told longer than they are", { virtualSize: 300 * 4096, data: [0, 7], compressed: [1, 2, 9], streamsTellMore: 33 }],
])("compressed, %s", (_, description) => {
  test("read alike by all, and kept where they lie", async () => {
    const { bytes, guest } = buildQcow(description);
    writeFileSync(at("disk.qcow"), bytes);
    writeFileSync(at("guest.raw"), guest);
    expect(run("qemu-img", "compare", "-F", "raw", "disk.qcow", "guest.raw")).toContain("Images are identical.");
    await readByOthers(at("disk.qcow"), at("guest.raw"), true);
    await expectTold("disk.qcow");
    expect((await checksum(at("disk.qcow"), { algorithm: "sha256" })).checksum).toBe(
      run("sha256sum", "guest.raw").split(" ")[0],
    );
    const streams = async () => (await map(at("disk.qcow"))).entries.filter(({ compressed }) => compressed);
    const before = await streams();
    await convert(at("disk.qcow"), "qcow2");
    expect(await streams()).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
    expect(run("qemu-img", "check", "disk.qcow")).toContain("No errors were found");
    expect(run("qemu-img", "compare", "-F", "raw", "disk.qcow", "guest.raw")).toContain("Images are identical.");
    await convert(at("disk.qcow"), "qcow");
    // A qcow2 counts whole sectors, a qcow less than a cluster: of clusters of one sector some are inflated.
    if (description.clusterSize !== 512) expect(await streams()).toEqual(before);
    expect(run("qemu-img", "compare", "-F", "raw", "disk.qcow", "guest.raw")).toContain("Images are identical.");
    await readByOthers(at("disk.qcow"), at("guest.raw"), true);
    await convert(at("disk.qcow"), "qed");
    expect(run("qemu-img", "check", "disk.qcow")).toContain("No errors were found");
    expect(run("qemu-img", "compare", "-F", "raw", "disk.qcow", "guest.raw")).toContain("Images are identical.");
  });
});

describe("as a target", () => {
  const guestOf = (name: string) => {
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", name, "guest.raw");
    return expect(run("qemu-img", "compare", "-F", "raw", name, "guest.raw")).toContain("Images are identical.");
  };

  test("over a backing file it has clusters of one sector, of which QEMU loses nothing, and only where that is probed", async () => {
    writeFileSync(at("base.raw"), Buffer.alloc(2 ** 20, "base "));
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "disk.img");
    run(
      "qemu-io",
      "-t",
      "unsafe",
      "-f",
      "qcow2",
      "-c",
      "write -P 3 100k 70k",
      "-c",
      "write -z 400k 64k",
      at("disk.img"),
    );
    guestOf("disk.img");
    await expect(convert(at("disk.img"), "qcow")).rejects.toThrow(/knows probed ones only/);
    run("qemu-img", "rebase", "-u", "-b", "base.raw", "-F", "raw", "disk.img");
    const bytes = readFileSync(at("disk.img"));
    // Takes the name of the format out: the type of its extension becomes one that nobody knows.
    bytes.writeUInt32BE(0x12345678, bytes.indexOf(Buffer.from("e2792aca", "hex")));
    writeFileSync(at("disk.img"), bytes);
    await expect(convert(at("disk.img"), "qcow", { options: { cluster_size: "4k" } })).rejects.toThrow(
      /use cluster_size=512/,
    );
    await convert(at("disk.img"), "qcow");
    expect(run("qemu-img", "info", "disk.img")).toMatch(
      /file format: qcow\n[\s\S]*cluster_size: 512\nbacking file: base.raw/,
    );
    const writes = ["-c", "write -P 9 30k 1536", "-c", "write -P 8 169k 2k", "-c", "write -P 7 420k 512"];
    run("qemu-io", "-t", "unsafe", "-f", "qcow", ...writes, at("disk.img"));
    run("qemu-io", "-t", "unsafe", "-f", "raw", ...writes, at("guest.raw"));
    expect(run("qemu-img", "compare", "-F", "raw", "disk.img", "guest.raw")).toContain("Images are identical.");
  });

  test("a long name of the backing file goes to bytes that nobody uses", async () => {
    const name = `${"n".repeat(240)}/${"m".repeat(240)}/base.raw`;
    writeFileSync(at("disk.img"), buildQcow({ virtualSize: 2 ** 20, data: [3], backingName: name }).bytes);
    await convert(at("disk.img"), "qcow2", { options: { cluster_size: "4k" } });
    await convert(at("disk.img"), "qcow");
    expect((await info(at("disk.img"))).backingFilename).toBe(name);
    expect(JSON.parse(run("qemu-img", "info", "--output=json", "disk.img"))["backing-filename"]).toBe(name);
  });

  test("a disk of hundreds of TiB is opened and written to by QEMU, and refused where its L1 table would be too long", async () => {
    run("qemu-img", "create", "-q", "-f", "qcow2", "disk.img", "900T");
    await expect(convert(at("disk.img"), "qcow", { options: { cluster_size: "4k" } })).rejects.toThrow(
      /longer than 32 MiB/,
    );
    await convert(at("disk.img"), "qcow", { checksum: "none" });
    expect(run("qemu-img", "info", "disk.img")).toContain("virtual size: 900 TiB");
    run(
      "qemu-io",
      "-t",
      "unsafe",
      "-f",
      "qcow",
      "-c",
      "write -P 5 899T 64k",
      "-c",
      "read -P 5 899T 64k",
      at("disk.img"),
    );
    expect((await check(at("disk.img"))).exitCode).toBe(0);
  });
});
