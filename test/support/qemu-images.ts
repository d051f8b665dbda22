/** Makes images by qemu-img and qemu-io from a description, each with a raw copy of what its guest sees. */

import { open, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { qemuKitOf } from "../formats/kits.ts";
import { type Content, KiB, MiB, type QemuImageDescription } from "../formats/matrix-image.ts";
import { info, qemuIo, run } from "./qemu-tools.ts";
import { type Random, seededRandom } from "./random.ts";

export interface QemuImage {
  readonly path: string;
  /** What the guest sees, the backing file included. */
  readonly rawPath: string;
  readonly backingName: string | undefined;
  readonly hasFileSystem: boolean;
}

/** Makes the image as `folder/<name>.<format>` and its raw copy beside it. */
export async function makeQemuImage(folder: string, description: QemuImageDescription): Promise<QemuImage> {
  const { name, format, virtualSize, contents, seed = 1, backing } = description;
  const path = join(folder, `${name}.${format}`);
  const { giveBack } = qemuKitOf(format);
  const random = seededRandom(seed);
  const backingName = backing && `${name}-base.${backing.format}`;
  if (backing && backingName) await makeBackingFile(join(folder, backingName), backing.format, virtualSize, random);
  const whole = contents.find((content) => content === "random" || content === "compressed" || content === "ext4");
  if (whole) await convertInto(path, description, whole, random);
  else await create(path, description, backingName);
  const clusterSize = (await info(path, format))["cluster-size"] ?? 64 * KiB;
  for (const content of contents) {
    const commands = commandsFor(content, { virtualSize, clusterSize, giveBack, random });
    await qemuIo(path, format, commands, content === "half-discarded");
  }
  if (backing?.isProbed) await forgetBackingFormat(path, format);
  const rawPath = join(folder, `${name}.copy.raw`);
  await run("qemu-img", ["convert", "-t", "unsafe", "-f", format, "-O", "raw", path, rawPath]);
  return { path, rawPath, backingName, hasFileSystem: contents.includes("ext4") };
}

function optionsOf({ options = {} }: QemuImageDescription): string[] {
  const pairs = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return pairs.length > 0 ? ["-o", pairs.join(",")] : [];
}

async function create(path: string, description: QemuImageDescription, backingName: string | undefined): Promise<void> {
  const { format, virtualSize, backing } = description;
  const below = backing && backingName ? ["-b", backingName, "-F", backing.format] : [];
  const words = [
    "create",
    "-q",
    "-f",
    format,
    ...optionsOf(description),
    ...below,
    basename(path),
    String(virtualSize),
  ];
  await run("qemu-img", words, dirname(path));
}

async function makeBackingFile(path: string, format: string, virtualSize: number, random: Random): Promise<void> {
  // Shorter than the disk above it, so that its end shows too.
  const size = Math.max(512, Math.floor(virtualSize / 1024) * 512);
  await run("qemu-img", ["create", "-q", "-f", format, path, String(size)]);
  const place = { virtualSize: size, clusterSize: 16 * KiB, giveBack: "discard", random };
  await qemuIo(path, format, commandsFor("fragmented", place));
}

/** Through a raw file: what qemu-io's patterns can't make. */
async function convertInto(path: string, description: QemuImageDescription, content: Content, random: Random) {
  const { format, virtualSize } = description;
  const from = `${path}.from.raw`;
  try {
    if (content === "ext4") await makeFileSystem(from, virtualSize, random);
    else await writeFile(from, unpatterned(virtualSize, random, content === "compressed"));
    const compressed = content === "compressed" ? ["-c"] : [];
    await run("qemu-img", [
      "convert",
      "-t",
      "unsafe",
      "-f",
      "raw",
      "-O",
      format,
      ...compressed,
      ...optionsOf(description),
      from,
      path,
    ]);
  } finally {
    await rm(from, { force: true });
  }
}

async function makeFileSystem(rawPath: string, virtualSize: number, random: Random): Promise<void> {
  const tree = `${rawPath}.d`;
  await run("mkdir", ["-p", join(tree, "folder/deeper")]);
  for (let file = 0; file < 24; file++) {
    const place = file % 3 === 0 ? "folder/deeper" : file % 3 === 1 ? "folder" : ".";
    await writeFile(
      join(tree, place, `file-${file}`),
      unpatterned(512 * (1 + random.below(200)), random, file % 2 === 0),
    );
  }
  await run("truncate", ["--size", String(virtualSize), rawPath]);
  await run("mkfs.ext4", ["-q", "-F", "-d", tree, rawPath]);
  await rm(tree, { recursive: true });
}

/** Bytes unlike their neighbours; with `compressible` each 16 bytes repeat a few times, and some stretches are zeros. */
function unpatterned(length: number, random: Random, compressible: boolean): Buffer {
  const bytes = Buffer.alloc(length);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(length / 4));
  for (let index = 0; index < words.length; index += 4096) {
    if (random.chance(0.3)) continue;
    const end = Math.min(words.length, index + 4096);
    for (let word = index; word < end; word++) {
      words[word] = compressible && word % 16 !== 0 ? (words[word - 1] as number) : Math.floor(random.next() * 2 ** 32);
    }
  }
  return bytes;
}

interface Place {
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly giveBack: string;
  readonly random: Random;
}

function commandsFor(content: Content, place: Place): string[] {
  const { virtualSize, clusterSize, random } = place;
  switch (content) {
    case "empty":
    case "random":
    case "ext4":
      return [];
    case "sparse":
      return oddWrites(place, 12);
    case "compressed":
      return oddWrites(place, 3);
    case "full":
      return runs(virtualSize, stepOf(place)).map(([start, length], index) => fill(index, start, length));
    case "fragmented": {
      const every = runs(virtualSize, Math.max(clusterSize, stepOf(place) / 2)).filter((_, index) => index % 2 === 0);
      return random.shuffle(every.map(([start, length], index) => fill(index, start, length)));
    }
    case "half-discarded": {
      const every = runs(virtualSize, stepOf(place));
      const given = every.filter((_, index) => index % 2 === 1);
      return [
        ...every.map(([start, length], index) => fill(index, start, length)),
        ...given.map(([start, length]) => `${place.giveBack} ${start} ${length}`),
      ];
    }
    case "zeroed": {
      const every = runs(virtualSize, stepOf(place));
      const [data, zeros] = [every.filter((_, index) => index % 3 === 0), every.filter((_, index) => index % 4 !== 1)];
      return [
        ...data.map(([start, length], index) => fill(index, start, length)),
        // Half keeps its place in a qcow2 (preallocated zeros), half may give it up.
        ...zeros.map(([start, length], index) => `write -z${index % 2 ? "" : " -u"} ${start} ${length}`),
      ];
    }
    case "far": {
      const last = virtualSize - 512;
      const places = [0, last, ...Array.from({ length: 20 }, () => 512 * random.below(virtualSize / 512 - 8))];
      return places.map((start, index) => fill(index, start, Math.min(4096, virtualSize - start)));
    }
  }
}

/** How much one write covers: whole clusters, and no more than some hundred writes a disk. */
function stepOf({ virtualSize, clusterSize }: Place): number {
  return clusterSize * Math.max(1, Math.ceil(virtualSize / clusterSize / 300));
}

function runs(virtualSize: number, step: number): [start: number, length: number][] {
  const list: [number, number][] = [];
  for (let start = 0; start < virtualSize; start += step) list.push([start, Math.min(step, virtualSize - start)]);
  return list;
}

function oddWrites({ virtualSize, clusterSize, random }: Place, count: number): string[] {
  const longest = Math.max(1, Math.min(virtualSize, 4 * clusterSize, MiB) / 512);
  return Array.from({ length: count }, (_, index) => {
    const length = 512 * (1 + random.below(longest));
    return fill(index, 512 * random.below((virtualSize - length) / 512 + 1), length);
  });
}

function fill(index: number, start: number, length: number): string {
  return `write -P ${1 + (index % 251)} ${start} ${length}`;
}

/**
 * The same writes into an image and its raw copy, all over, zeros among them.
 *
 * Over a backing file QEMU's QED takes whole clusters only: where a write covers a part of a zero cluster, QEMU 7.2
 * fills the rest from the backing file, in images of its own making too.
 */
export async function writeAllOver(image: QemuImage, format: string, virtualSize: number, seed: number) {
  const random = seededRandom(seed);
  const isWhole = qemuKitOf(format).writesWholeClusters && image.backingName !== undefined;
  const unit = isWhole ? ((await info(image.path, format))["cluster-size"] ?? 512) : 512;
  const unitCount = Math.ceil(virtualSize / unit);
  const commands: string[] = [];
  for (let turn = 0; turn < 40; turn++) {
    const first = turn === 39 ? unitCount - 1 : random.below(unitCount);
    const count = 1 + random.below(Math.min(256, unitCount, Math.ceil(MiB / unit)));
    const start = first * unit;
    const length = Math.min(count * unit, virtualSize - start);
    commands.push(turn % 5 === 4 ? `write -z ${start} ${length}` : fill(turn + seed, start, length));
  }
  await qemuIo(image.path, format, [...commands, "flush"]);
  await qemuIo(image.rawPath, "raw", commands);
}

/** qemu-img asks for a backing format when it makes an image, so it is taken out again: images of old have none. */
async function forgetBackingFormat(path: string, format: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const head = Buffer.alloc(1024);
    await file.read(head, 0, head.length, 0);
    qemuKitOf(format).forgetBackingFormat(head);
    await file.write(head, 0, head.length, 0);
  } finally {
    await file.close();
  }
}
