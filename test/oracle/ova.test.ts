/** OVAs made by tar of what qemu-img makes: the guest is what qemu-img sees in the disk that tar takes out, before and after. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";
import { ovfText } from "../formats/ova/builder.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 27 });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-ova-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Whole grains: of a disk that ends inside one qemu-img stores a short stream, which becomes plain. */
const SIZE = 6 * 1024 * 1024;

/** The manifest by openssl, the archive by tar. */
function pack(subformat: string, digest: string, order: readonly string[], ...words: readonly string[]): void {
  const guest = Buffer.alloc(SIZE);
  for (let offset = 0; offset < 90_000; offset++)
    guest[1_000_000 + offset] = (offset * offset * 31 + (offset >> 3)) & 0xff;
  guest.fill("text ", 3_000_000, 3_400_000);
  guest.fill(9, SIZE - 700);
  writeFileSync(at("guest.raw"), guest);
  run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", `subformat=${subformat}`, "guest.raw", "box-disk1.vmdk");
  writeFileSync(at("box.ovf"), ovfText("box-disk1.vmdk"));
  writeFileSync(at("box.nvram"), "variables");
  const lines = run("openssl", "dgst", `-${digest}`, "box.ovf", "box-disk1.vmdk", "box.nvram");
  writeFileSync(at("box.mf"), lines);
  run("tar", ...words, "-cf", "box.ova", ...order);
  mkdirSync(at("out"));
  run("tar", "-xf", "box.ova", "-C", "out");
}

describe.each([
  ["streamOptimized", "sha256", ["box.ovf", "box.mf", "box-disk1.vmdk", "box.nvram"], "ustar"],
  ["streamOptimized", "sha1", ["box.ovf", "box.nvram", "box-disk1.vmdk", "box.mf"], "gnu"],
  ["streamOptimized", "sha512", ["./box-disk1.vmdk", "./box.mf", "./box.ovf", "./box.nvram"], "pax"],
  ["monolithicSparse", "sha256", ["box.ovf", "box-disk1.vmdk", "box.mf", "box.nvram"], "gnu"],
] as const)("%s, %s, %j, %s", (subformat, digest, order, style) => {
  const disk = () => at("out/box-disk1.vmdk");

  test("is read as qemu-img reads the disk that tar takes out, and becomes the same in place", async () => {
    pack(subformat, digest, order, `--format=${style}`);
    const theirs = JSON.parse(run("qemu-img", "info", "--output=json", disk()));
    expect(await info(at("box.ova"))).toMatchObject({
      format: "ova",
      virtualSize: theirs["virtual-size"],
      clusterSize: theirs["cluster-size"],
      formatSpecific: {
        data: { disk: { formatSpecific: { createType: subformat, cid: theirs["format-specific"].data.cid } } },
      },
    });
    const { exitCode, notes } = await check(at("box.ova"));
    expect({ exitCode, notes }).toEqual({ exitCode: 0, notes: [expect.stringContaining("proof against corruption")] });
    const start = readFileSync(at("box.ova")).indexOf(readFileSync(disk()));
    const entries = JSON.parse(run("qemu-img", "map", "--output=json", disk())) as { offset?: number }[];
    const shifted = entries.map((each) =>
      each.offset === undefined ? each : { ...each, offset: each.offset + start },
    );
    expect((await map(at("box.ova"))).entries.map(({ compressed: _, ...entry }) => entry)).toEqual(shifted);
    expect(await compare(at("box.ova"), at("guest.raw"), { formatB: "raw" })).toMatchObject({ identical: true });
    expect((await checksum(at("box.ova"), { algorithm: "sha256" })).checksum).toBe(
      run("sha256sum", "guest.raw").split(" ")[0],
    );
    const { bytesMoved } = await convert(at("box.ova"), "qcow2");
    if (subformat === "streamOptimized") expect(bytesMoved).toBe(0);
    renameSync(at("box.ova"), at("box.qcow2"));
    run("qemu-img", "compare", "-f", "qcow2", "-F", "vmdk", "box.qcow2", disk());
    expect(run("qemu-img", "check", "box.qcow2")).toContain("No errors were found");
    run("qemu-io", "-t", "unsafe", "-f", "qcow2", "-c", "write -P 3 64k 3M", "-c", "read -P 3 64k 1M", "box.qcow2");
    // A write of QEMU's over a compressed cluster may leave that behind.
    expect(run("qemu-img", "check", "-r", "leaks", "box.qcow2")).toContain("No errors were found");
  });
});

test("becomes a raw disk", async () => {
  pack("streamOptimized", "sha256", ["box.ovf", "box-disk1.vmdk"]);
  // qemu-img knows no OVA: it is not asked.
  expect((await check(at("box.ova"), { crossCheck: "require" })).notes).toEqual([]);
  const { notes } = await convert(at("box.ova"), "raw", { crossCheck: "require" });
  expect(notes.join()).toContain("Not shown to qemu-img");
  expect(readFileSync(at("box.ova")).equals(readFileSync(at("guest.raw")))).toBe(true);
});

test("a byte that was changed on the way is seen by the manifest that openssl wrote, and nothing is written", async () => {
  pack("streamOptimized", "sha256", ["box.ovf", "box.mf", "box-disk1.vmdk", "box.nvram"]);
  const bytes = readFileSync(at("box.ova"));
  bytes[bytes.indexOf("variables")] = 0x56;
  writeFileSync(at("box.ova"), bytes);
  await expect(convert(at("box.ova"), "qcow2")).rejects.toThrow(/Its member box\.nvram has sha256 .* box\.mf says/);
  expect(readFileSync(at("box.ova")).equals(bytes)).toBe(true);
});
