/** OVAs of our making: by tar the members, by sha256sum the manifest, by qemu-img, libvmdk and 7-Zip the disk. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import { readByOthers } from "../formats/vmdk/other-readers.ts";
import { readStreamInOrder } from "../formats/vmdk/sparse/stream-reader.ts";
import { seededRandom } from "../support/random.ts";

const MiB = 2 ** 20;
const SIZE = 6 * MiB - 512;
const askOthers = readByOthers(/^Stream optimized/);

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly [string, ...string[]]) =>
  execFileSync(words[0], words.slice(1), { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-ova-target-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeGuest(): void {
  const random = seededRandom(3);
  const guest = Buffer.alloc(SIZE);
  for (let at = MiB; at < SIZE - 4; at += 4)
    guest.writeUInt32LE(at % MiB < MiB / 2 ? random.below(2 ** 32) : at >> 12, at);
  writeFileSync(at("guest.raw"), guest);
}

/** The members, in the archive's order, taken out by tar. */
function takenOut(name: string): string[] {
  mkdirSync(at("out"));
  run("tar", "-xf", name, "-C", "out");
  const names = run("tar", "-tf", name).trim().split("\n");
  expect(names.toSorted()).toEqual(readdirSync(at("out")).toSorted());
  return names;
}

/** What virt-v2v and DMTF's schemas insist on; `scripts/ova-readers.ts` asks them. */
function expectReadable(descriptor: string): void {
  const items = [...descriptor.matchAll(/<Item>(.*?)<\/Item>/gs)].map(([, item = ""]) =>
    Object.fromEntries([...item.matchAll(/<rasd:(\w+)>(.*)<\//g)].map(([, name, value]) => [name, value])),
  );
  for (const item of items) expect(Object.keys(item)).toEqual(Object.keys(item).toSorted());
  const disk = items.find((item) => item.ResourceType === "17");
  const controller = items.find((item) => item.InstanceID === disk?.Parent);
  expect(["5", "6"]).toContain(controller?.ResourceType);
  expect(descriptor).toContain(`ovf:diskId="${disk?.HostResource?.replace("ovf:/disk/", "")}" ovf:fileRef="file1"`);
  expect(descriptor).toContain(`<File ovf:id="file1"`);
}

async function expectSound(name: string, machine: string): Promise<string> {
  const [ovf = "", disk = "", manifest = "", ...more] = takenOut(name);
  expect([ovf, disk, manifest, more]).toEqual([`${machine}.ovf`, `${machine}-disk1.vmdk`, `${machine}.mf`, []]);
  const sums = readFileSync(at(join("out", manifest)), "utf8").replace(/SHA256\((.*)\)= (.*)/g, "$2  $1");
  writeFileSync(at("out/sums"), sums);
  expect(execFileSync("sha256sum", ["-c", "sums"], { cwd: at("out"), encoding: "utf8" })).toBe(
    `${ovf}: OK\n${disk}: OK\n`,
  );
  const image = join("out", disk);
  expect(run("qemu-img", "check", "-f", "vmdk", image)).toContain("No errors");
  expect(run("qemu-img", "compare", "-f", "vmdk", "-F", "raw", image, "guest.raw")).toContain("Images are identical.");
  expect(Buffer.compare(readStreamInOrder(readFileSync(at(image))).guest, readFileSync(at("guest.raw")))).toBe(0);
  await askOthers(at(image), at("guest.raw"));
  expect(run("7zz", "t", "-ttar", name)).toContain("Everything is Ok");
  expect((await check(at(name))).findings).toEqual([]);
  const text = readFileSync(at(join("out", ovf)), "utf8");
  expect(text).toContain(`ovf:href="${disk}"`);
  expect(text).toContain(`ovf:size="${statSync(at(image)).size}"`);
  expect(text).toContain(`ovf:capacity="${SIZE}"`);
  expectReadable(text);
  // A parser that knows nothing of ours.
  run("python3", "-c", "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])", join("out", ovf));
  return text;
}

test.each([
  ["raw", ["raw"], { format: "raw" }],
  ["qcow2", ["qcow2"], {}],
  ["qcow2, compressed", ["-c", "qcow2"], {}],
  ["VHDX", ["vhdx"], {}],
  ["stream", ["vmdk", "-o", "subformat=streamOptimized"], {}],
] as const)("from %s", { timeout: 30_000 }, async (_name, made, options) => {
  writeGuest();
  const words = made[0] === "-c" ? ["-c", "-O", "qcow2"] : ["-O", ...made];
  run("qemu-img", "convert", "-f", "raw", ...words, "guest.raw", "box 1.img");
  const { report: planned } = await plan(at("box 1.img"), "ova", options);
  const report = await convert(at("box 1.img"), "ova", options);
  expect(report.path).toEqual(planned.path);
  const text = await expectSound("box 1.img", "box 1");
  expect(text).toContain("<rasd:VirtualQuantity>1024</rasd:VirtualQuantity>");
});

test("a machine as it is asked for, nothing done twice, and qcow2 again without moving a byte", async () => {
  writeGuest();
  run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "guest.raw", "box.img");
  const machine = { cpus: "3", memory: "2G", network: "lab & <net>", name: 'a "b"', adapter_type: "lsilogic" };
  await convert(at("box.img"), "ova", { options: machine });
  const text = await expectSound("box.img", "box");
  expect(text).toContain("<rasd:VirtualQuantity>3</rasd:VirtualQuantity>");
  expect(text).toContain("<rasd:VirtualQuantity>2048</rasd:VirtualQuantity>");
  expect(text).toContain("<rasd:Connection>lab &amp; &lt;net&gt;</rasd:Connection>");
  expect(text).toContain("<rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>");
  expect((await convert(at("box.img"), "ova")).changed).toBe(false);
  const { bytesMoved, dropped } = await convert(at("box.img"), "qcow2");
  expect(bytesMoved).toBe(0);
  expect(dropped).toEqual(["the archive's box.ovf", "the archive's box.mf"]);
  expect(run("qemu-img", "compare", "-F", "raw", "box.img", "guest.raw")).toContain("Images are identical.");
});

const TEMPLATE = `<?xml version="1.0"?>
<!-- ours: <File/> is none here -->
<o:Envelope xmlns:o="http://schemas.dmtf.org/ovf/envelope/1">
  <o:References><o:File o:id="f1" o:href="old.vmdk" o:size="7"/></o:References>
  <o:DiskSection><o:Info>d</o:Info><o:Disk o:capacity='1' o:capacityAllocationUnits="byte * 2^30" o:diskId="d1" o:fileRef="f1" o:format="x"></o:Disk></o:DiskSection>
  <o:VirtualSystem o:id="kept"><o:Info>kept</o:Info></o:VirtualSystem>
</o:Envelope>
`;

test("a template keeps all but its disk's file, sizes and format; the same guest gives the same file", async () => {
  writeGuest();
  writeFileSync(at("machine.ovf"), TEMPLATE);
  const made: Buffer[] = [];
  for (let turn = 0; turn < 2; turn++) {
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "guest.raw", "box.img");
    await convert(at("box.img"), "ova", { options: { ovf: at("machine.ovf") }, reproducible: true });
    made.push(readFileSync(at("box.img")));
  }
  expect(made[0]?.equals(made[1] as Buffer)).toBe(true);
  takenOut("box.img");
  const text = readFileSync(at("out/box.ovf"), "utf8");
  const size = statSync(at("out/box-disk1.vmdk")).size;
  expect(text).toContain(`<o:File o:id="f1" o:href="box-disk1.vmdk" o:size="${size}"/>`);
  expect(text).toContain(`<o:Disk o:diskId="d1" o:fileRef="f1" o:capacity="${SIZE}" o:capacityAllocationUnits="byte"`);
  expect(text).toContain("<!-- ours: <File/> is none here -->");
  expect(text).toContain('<o:VirtualSystem o:id="kept"><o:Info>kept</o:Info></o:VirtualSystem>');
  expect((await check(at("box.img"))).findings).toEqual([]);
});

test.each([
  ["is not there", undefined, /ENOENT|not there|no such file/i],
  ["is empty", "", /it is empty/],
  ["is no descriptor", "<html/>", /must be an Envelope/],
  ["has two files", TEMPLATE.replace("<o:File", '<o:File o:id="f0" o:href="a"/><o:File'), /one File/],
  ["is too long", TEMPLATE.replace("kept</o:Info>", `${"x".repeat(50_000)}</o:Info>`), /more than 47104 bytes/],
] as const)("a template that %s refuses the conversion before anything is written", async (_name, text, says) => {
  run("qemu-img", "create", "-q", "-f", "qcow2", "box.img", "1M");
  const before = readFileSync(at("box.img"));
  if (text !== undefined) writeFileSync(at("machine.ovf"), text);
  await expect(convert(at("box.img"), "ova", { options: { ovf: at("machine.ovf") } })).rejects.toThrow(says);
  expect(readFileSync(at("box.img")).equals(before)).toBe(true);
  expect(readdirSync(folder).toSorted()).toEqual(text === undefined ? ["box.img"] : ["box.img", "machine.ovf"]);
});
