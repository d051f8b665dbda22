/**
 * Every format into every other, by cluster sizes and guests: the same guest, clean, as long and as large as planned.
 *
 * `npm test` takes a sample by seed (ORACLE_SEED, by default 1); ORACLE=all takes every cell, a number so many.
 */

import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { check } from "../../src/convert/check.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import { targetOf } from "../../src/formats/target-registry.ts";
import type { FormatKit, MatrixKit } from "../formats/kit.ts";
import { kits } from "../formats/kits.ts";
import { assertGptDisk, type Guest, guestsOf, makeMatrixImage } from "../support/matrix-guest.ts";
import { assertClean, assertGuest, info, run } from "../support/qemu-tools.ts";
import { seededRandom } from "../support/random.ts";

interface Side {
  readonly kit: FormatKit & { readonly matrix: MatrixKit };
  readonly clusterSize: number | undefined;
}

const SAMPLE = 30;
const SECTOR = 512;
/** What a file system may take for a file's own metadata. */
const SLACK = 64 * 1024;
const seed = Number(process.env.ORACLE_SEED ?? 1);
const wanted = process.env.ORACLE ?? SAMPLE;

const sides: readonly Side[] = kits.flatMap((kit) => {
  const { matrix } = kit;
  return matrix === undefined
    ? []
    : matrix.clusterSizes.map((clusterSize) => ({ kit: { ...kit, matrix }, clusterSize }));
});
const cells = sides.flatMap((from) =>
  sides
    .filter(({ kit }) => targetOf(kit.name))
    .flatMap((to) =>
      guestsOf(from.clusterSize).map((guest) => ({ from, to, guest, title: `${said(from)} to ${said(to)}, ${guest}` })),
    ),
);
const chosen =
  wanted === "all"
    ? cells
    : seededRandom(seed + 8)
        .shuffle(cells)
        .slice(0, Number(wanted));

function said({ kit, clusterSize }: Side): string {
  return clusterSize === undefined ? kit.name : `${kit.name} ${clusterSize}`;
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-matrix-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.concurrent(`${chosen.length} of ${cells.length} cells, seed ${seed}`, () => {
  it.each(chosen)("$title", async ({ from, to, guest, title }) => {
    const place = join(folder, title.replaceAll(/[ ,]+/g, "-"));
    await mkdir(place);
    await tryCell(place, from, to, guest);
    await rm(place, { recursive: true });
  });
});

async function tryCell(place: string, from: Side, to: Side, guest: Guest): Promise<void> {
  const [made, rawPath] = [join(place, "disk.img"), join(place, "guest.raw")];
  await makeMatrixImage(from.kit, from.clusterSize, guest, made, rawPath);
  await assertGuest(made, from.kit.name, rawPath);
  const stored = await storedBytes(made, from.kit.name);
  const options = { format: from.kit.name, options: to.kit.matrix.options(to.clusterSize) };
  const { report: planned } = await plan(made, to.kit.name, options);
  const report = await convert(made, to.kit.name, options);
  // Of a flat VMDK the descriptor is the image, and the disk another file.
  const image = report.imageAfter ?? made;
  const isOther = from.kit.name !== to.kit.name || from.clusterSize !== to.clusterSize;
  equal("changed", report.changed, isOther);
  await assertGuest(image, to.kit.name, rawPath);
  if (to.kit.matrix.isChecked) await assertChecked(image, to);
  const found = await info(image, to.kit.name);
  const { size: guestSize } = await stat(rawPath);
  equal("virtual size", found["virtual-size"], Math.ceil(guestSize / SECTOR) * SECTOR);
  // Of a Parallels image's tracks it says nothing.
  if (to.clusterSize !== undefined && to.kit.name !== "parallels")
    equal("cluster size", found["cluster-size"], to.clusterSize);
  const { size, blocks } = await stat(report.diskFile ?? image);
  equal("size as told", size, report.fileSizeAfter);
  if (isSizeForetold(from, to, guest)) {
    // Blocks of zeros that a raw disk stores are found by the pass that digests it.
    const least = from.kit.name === "raw" && to.clusterSize !== undefined ? size : planned.fileSizeAfter;
    atMost("size, and what was planned", size, planned.fileSizeAfter);
    atMost("what was planned, and size", least, size);
  }
  equal("path as planned", JSON.stringify(report.path), JSON.stringify(planned.path));
  // A plan counts what lies elsewhere than it is to; the run, what lets it pass too. Of tables that are compacted it says nothing.
  if (to.clusterSize === undefined && from.clusterSize !== undefined) {
    const spares = 0.5 * planned.guestDataBytes + from.clusterSize;
    atMost("bytes moved", report.bytesMoved, planned.bytesMoved + spares);
  }
  // The first cluster of a disk in one piece was the header's, and is written whole.
  const most = to.clusterSize === undefined ? Math.min(size, stored + (from.clusterSize ?? 0)) : size;
  atMost("space", blocks * SECTOR, most + SLACK);
  await to.kit.matrix.askOthers?.(image, rawPath);
  if (guest === "a GPT disk") {
    await run("qemu-img", ["convert", "-t", "unsafe", "-f", to.kit.name, "-O", "raw", image, `${image}.raw`]);
    await assertGptDisk(`${image}.raw`);
  }
}

/**
 * The plan of a VHD, or of a flat VMDK, knows its first step alone, to raw. Of clusters of one sector each refcount block counts 256, and lies
 * among them, so that an L1 table of more than 255 of them finds no room further down. Clusters of a qcow that lie at any
 * sector leave holes between them that take none in, which the plan does not foresee.
 */
function isSizeForetold(from: Side, to: Side, guest: Guest): boolean {
  if (to.kit.name === "qcow" && (from.clusterSize ?? 0) < (to.clusterSize ?? 0)) return false;
  // So is what is compacted that had to lie behind all that a dynamic VHD could grow to.
  if (from.kit.name === "vpc") return to.clusterSize === undefined || to.kit.name === "vpc";
  if (from.clusterSize === undefined && from.kit.name !== "raw") return to.clusterSize === undefined;
  // Of a way by a front the plan knows the first step alone.
  if (to.clusterSize !== undefined && targetOf(to.kit.name)?.front !== undefined) return false;
  const isFar = from.kit.name === "raw" || from.kit.name === "parallels";
  return !isFar || to.clusterSize !== 512 || guest !== "sparse beyond 4 GiB";
}

/** What the source stores of the guest, zeros not counted: no disk in one piece takes more. */
async function storedBytes(image: string, format: string): Promise<number> {
  const map = JSON.parse(await run("qemu-img", ["map", "-f", format, "--output=json", image])) as {
    readonly length: number;
    readonly data: boolean;
  }[];
  return map.reduce((sum, { length, data }) => sum + (data ? length : 0), 0);
}

/** In large files of small clusters qemu-img counts leaks that are none (docs/decisions). */
async function assertChecked(image: string, { kit, clusterSize = 0 }: Side): Promise<void> {
  const clusters = (await stat(image)).size / clusterSize;
  if (kit.name !== "qed" || clusters <= clusterSize) return assertClean(image, kit.name);
  const { corruptions, leaks, checkErrors } = await check(image);
  equal("leaks, corruptions and errors by our check", leaks + corruptions + checkErrors, 0);
}

function equal(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: expected ${String(expected)}, found ${String(found)}`);
}

function atMost(what: string, found: number, most: number): void {
  if (found > most) throw new Error(`${what}: expected at most ${most}, found ${found}`);
}
