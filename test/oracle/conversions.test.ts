/**
 * Conversions there and back, judged by qemu-img, qemu-io and e2fsck after each step.
 *
 * `npm test` takes a sample by seed (ORACLE_SEED, by default 1); ORACLE=all takes every image, a number so many.
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import type { ConversionReport } from "../../src/convert/report/report.ts";
import { kitOf, kits, partnersOf, type Target } from "../formats/kits.ts";
import type { MatrixImage } from "../formats/matrix-image.ts";
import { buildQedImage } from "../formats/qed/builder.ts";
import { makeQemuImage, type QemuImage, writeAllOver } from "../support/qemu-images.ts";
import { assertClean, assertSame, blkhashOf, info, run } from "../support/qemu-tools.ts";
import { seededRandom } from "../support/random.ts";
import { runCommand } from "../support/traced-command.ts";

const SAMPLE = 12;
const seed = Number(process.env.ORACLE_SEED ?? 1);
const wanted = process.env.ORACLE ?? SAMPLE;
const imageMatrix = kits.flatMap(({ qemu }) => qemu?.images ?? []);
const chosen = wanted === "all" ? imageMatrix : seededRandom(seed).shuffle(imageMatrix).slice(0, Number(wanted));

function canJudge({ qemu, target }: Target, { virtualSize, backing }: MatrixImage): boolean {
  const isOfSectors = target.hasSectorsOverBacking !== undefined && backing !== undefined;
  const isAlone = target.hasNoBacking !== undefined && backing !== undefined;
  return qemu !== undefined && !isOfSectors && !isAlone && virtualSize <= (qemu.largestDisk ?? virtualSize);
}

/** Each image to each other format that QEMU can judge, of a sample to one of them by turns; an image alone is told by its name. */
const trials = chosen.flatMap((image, index) =>
  partnersOf(kitOf(image.format))
    .filter((target) => canJudge(target, image))
    .filter((_, turn, { length }) => wanted === "all" || turn === index % length)
    .map(({ name: target }, turn) => {
      const title = turn === 0 ? image.name : `${image.name} to ${target}`;
      return { ...image, index, title, target };
    }),
);

/** Beyond this the raw copy is all holes, which a digest without a map of them would read. */
const DIGEST_LIMIT = 128 * 1024 * 1024;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-conversions-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.concurrent(`${chosen.length} of ${imageMatrix.length} images, seed ${seed}`, () => {
  it.each(trials)("$title", async ({ index, title, target, ...description }) => {
    const place = join(folder, title);
    await mkdir(place);
    const image = await makeQemuImage(place, description);
    await assertSame(image.path, description.format, image.rawPath);
    const convertIt = index % 8 === 3 ? byCommand : byLibrary;
    await convertAndJudge(convertIt, image, description, target, description.there?.[target]);
    // Half of the images come back as QEMU leaves them, half as we left them.
    if (index % 2 === 0 && !image.hasFileSystem) await writeAndJudge(image, description, target, index);
    await convertAndJudge(convertIt, image, description, description.format, description.back);
    await writeAndJudge(image, description, description.format, index + 1);
    await rm(place, { recursive: true });
  });
});

describe.concurrent("a QED with table_size 1, which QEMU can't open", () => {
  it.each([4096, 65_536])("in clusters of %i bytes", async (clusterSize) => {
    const path = join(folder, `small-tables-${clusterSize}.qed`);
    const clusters = Array.from({ length: clusterSize === 4096 ? 700 : 90 }, (_, cluster) => cluster);
    const { bytes, guest } = buildQedImage({
      clusterSize,
      tableSize: 1,
      virtualSize: clusters.length * clusterSize - 512,
      data: clusters.filter((cluster) => cluster % 3 === 0),
      zero: clusters.filter((cluster) => cluster % 3 === 1 && cluster % 7 === 1),
      seed: 5,
    });
    await writeFile(path, bytes);
    await writeFile(`${path}.raw`, guest);
    const { guestChecksum } = await convert(path, "qcow2");
    equal("digest of the contents", guestChecksum?.after, await blkhashOf(`${path}.raw`));
    await assertClean(path, "qcow2");
    await assertSame(path, "qcow2", `${path}.raw`);
  });
});

type Convert = (path: string, format: string, options: ConvertOptions) => Promise<ConversionReport>;

const byLibrary: Convert = convert;

/** The built command; its report, told in kebab-case, as the library's. */
const byCommand: Convert = async (path, format, { options = {}, backingChain }) => {
  const pairs = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const consent = backingChain ? ["--backing-chain"] : [];
  const { exitCode, stdout, said } = await runCommand([
    "convert",
    path,
    format,
    ...pairs,
    ...consent,
    "--output",
    "json",
  ]);
  if (exitCode !== 0) throw new Error(`convert ended with ${exitCode}: ${said}`);
  return JSON.parse(
    stdout.replace(/"[a-z-]+":/g, (key) => key.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())),
  );
};

/** Converts and asks everyone whether the guest is as it was. */
async function convertAndJudge(
  convertIt: Convert,
  image: QemuImage,
  { virtualSize, backing }: MatrixImage,
  format: string,
  options: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { path, rawPath, backingName } = image;
  const before = await info(path);
  // A backing file is read by consent only, and never one whose format the header does not say.
  const backingChain = backing !== undefined && !backing.isProbed;
  const report = await convertIt(path, format, { options, backingChain });
  await assertClean(path, format);
  await assertSame(path, format, rawPath);
  const after = await info(path);
  equal("format", after.format, format);
  equal("changed", report.changed, true);
  equal("virtual size", report.virtualSize, virtualSize);
  equal("backing file", after["backing-filename"], backingName);
  equal("backing format", after["backing-filename-format"], before["backing-filename-format"]);
  for (const [name, value] of Object.entries(options)) equalOption(after, name, value);
  const { guestChecksum } = report;
  equal("digests", guestChecksum?.after, guestChecksum?.before);
  equal("what the digest covers", guestChecksum?.covers, backing && !backingChain ? "layer" : "guest");
  if (guestChecksum?.covers === "guest" && virtualSize <= DIGEST_LIMIT) {
    equal("digest of the raw copy", guestChecksum.after, await blkhashOf(rawPath));
  }
  equal("leaks", report.check.after?.leaks, 0);
  equal("file size", (await info(path, "raw"))["virtual-size"], report.fileSizeAfter);
  if (image.hasFileSystem) await judgeFileSystem(path, format);
}

async function judgeFileSystem(path: string, format: string): Promise<void> {
  const disk = `${path}.disk.raw`;
  await run("qemu-img", ["convert", "-t", "unsafe", "-f", format, "-O", "raw", path, disk]);
  await run("e2fsck", ["-fn", disk]);
  await rm(disk);
}

async function writeAndJudge(image: QemuImage, { virtualSize }: MatrixImage, format: string, turn: number) {
  await writeAllOver(image, format, virtualSize, turn);
  await assertClean(image.path, format);
  await assertSame(image.path, format, image.rawPath);
}

type Info = Awaited<ReturnType<typeof info>>;

/** What qemu-img says of an option that we were asked for. */
function equalOption(found: Info, name: string, value: string): void {
  const data = found["format-specific"]?.data ?? {};
  if (name === "cluster_size") equal(name, found["cluster-size"], bytesOf(value));
  if (name === "refcount_bits") equal(name, data["refcount-bits"], Number(value));
  if (name === "compat") equal(name, data.compat, value);
  if (name === "lazy_refcounts") equal(name, data["lazy-refcounts"], value === "on");
}

function bytesOf(text: string): number {
  return Number.parseInt(text, 10) * (text.endsWith("k") ? 1024 : 1);
}

/** Concurrent tests can't use the global `expect`'s snapshots of context, and need nothing else of it. */
function equal(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: expected ${String(expected)}, found ${String(found)}`);
}
