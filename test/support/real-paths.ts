/** Conversions of several steps for the real command: small images made by nothing of `src/`, and a judge of what is found. */

import { readFile, writeFile } from "node:fs/promises";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { guestBytesOf } from "../formats/guest-contents.ts";
import { buildWithGuest } from "../formats/qcow2/any-image.ts";
import { buildEncodable, type ClusterKind } from "../formats/qcow2/encodable-image.ts";
import { buildQedImage } from "../formats/qed/builder.ts";
import { buildVpc } from "../formats/vpc/builder.ts";
import { gptDisk, tableAt, wholeGpt } from "./gpt-disk.ts";
import { assertClean, assertGuest, blkhashOf } from "./qemu-tools.ts";
import { seededRandom } from "./random.ts";
import { shownBy } from "./relocation-trial.ts";

export interface RealPath {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** The image, and the disk that its guest sees. */
  readonly bytes: Uint8Array;
  readonly guest: Uint8Array;
  /** What the command is told, the image's path left out behind its first word. */
  readonly words: readonly string[];
  /** The disk's length in the end, where it grows; its table moves along where `isRelocated`. */
  readonly newSize?: number;
  readonly isRelocated?: boolean;
}

const SECTOR = 512;
const CLUSTERS = Array.from({ length: 30 }, (_, at) => at + 5);
const GUEST = { virtualSize: 40 * 4096, data: [0, 1, 5, 9, 17, 18, 19, 39] };
const TINY_SPACE = ["--max-extra-space", "64k"];
const LINEAR = new Set(["raw", "vpc"]);
/** What they come from is made a qcow2 first. */
const FRONTED = new Set(["vmdk"]);

function misplaced(arrange: (places: readonly number[]) => readonly number[]) {
  return buildWithGuest({ virtualSize: 40 * 4096, data: CLUSTERS, clusterBits: 12, arrange });
}

function raw(guest: Uint8Array): Pick<RealPath, "from" | "bytes" | "guest"> {
  return { from: "raw", bytes: guest, guest };
}

export function realPaths(): readonly RealPath[] {
  const cycle = misplaced((places) => [...places.slice(1), ...places.slice(0, 1)]);
  const random = misplaced((places) => seededRandom(10).shuffle([...places]));
  const disk = new Uint8Array(gptDisk({ partitions: [[40, 79], undefined, [80, 100]] }));
  const strewn = buildWithGuest({
    virtualSize: 40 * 4096,
    data: [0, 2, 7, 9, 11, 12, 30, 31],
    clusterBits: 12,
    seed: 3,
    spareClusters: 14,
  });
  const kinds: ClusterKind[] = ["text", "noise", "mixed", "zero", "mixed", "compressed", "blank", "nothing", "text"];
  const plain = buildEncodable({ kinds: [...kinds, ...kinds, ...kinds], seed: 4 });
  const qed = buildQedImage({ ...GUEST, clusterSize: 4096, tableSize: 2, seed: 7, shuffleTables: true });
  return [
    {
      name: "raw to qcow2",
      ...raw(guestBytesOf(GUEST)),
      to: "qcow2",
      words: ["convert", "qcow2", "-f", "raw", "-o", "cluster_size=4k"],
    },
    {
      name: "qcow2 to raw, one long cycle",
      from: "qcow2",
      to: "raw",
      ...cycle,
      words: ["convert", "raw", ...TINY_SPACE],
    },
    {
      name: "qcow2 to vpc",
      from: "qcow2",
      to: "vpc",
      ...random,
      words: ["convert", "vpc", "-o", "subformat=fixed,force_size=on", ...TINY_SPACE],
    },
    {
      name: "raw to vpc, its GPT relocated",
      ...raw(disk),
      to: "vpc",
      words: ["convert", "vpc", "-f", "raw", "-o", "subformat=fixed,align=192k,gpt=relocate"],
      newSize: 192 * 1024,
      isRelocated: true,
    },
    {
      name: "vpc to qcow2",
      from: "vpc",
      to: "qcow2",
      ...buildVpc(GUEST),
      words: ["convert", "qcow2", "-o", "cluster_size=4k"],
    },
    { name: "qed to vmdk", from: "qed", to: "vmdk", ...qed, words: ["convert", "vmdk"] },
    { name: "qed to raw", from: "qed", to: "raw", ...qed, words: ["convert", "raw"] },
    { name: "compact", from: "qcow2", to: "qcow2", ...strewn, words: ["compact"] },
    {
      name: "compressed",
      from: "qcow2",
      to: "qcow2",
      ...plain,
      words: ["convert", "qcow2", "-c", "--max-extra-space", "16k"],
    },
  ];
}

export function wordsFor({ words: [command, ...rest] }: RealPath, image: string): readonly string[] {
  return [command as string, image, ...rest];
}

/** The file as it is found: its format, once its guest is proven to be the path's, by qemu-img and by us. Throws otherwise. */
export async function judgeFound(path: RealPath, image: string): Promise<string> {
  const { from, to, guest, newSize = guest.length, isRelocated } = path;
  const bytes = new Uint8Array(await readFile(image));
  const { format, disk } = await shownBy(bytes);
  const hubs = LINEAR.has(from) || LINEAR.has(to) ? ["qcow2", "raw"] : FRONTED.has(to) ? ["qcow2"] : [];
  if (![from, to, ...hubs].includes(format)) throw new Error(`the file is ${format}`);
  if (disk.length < guest.length) throw new Error(`the disk of the ${format} image is cut to ${disk.length} bytes`);
  // A raw disk is as long as its file, which is longer for a while.
  if (format !== "raw" && disk.length !== guest.length && disk.length !== newSize)
    throw new Error(`the disk of the ${format} image has ${disk.length} bytes`);
  if (isRelocated && format !== "qcow2") return judgeRelocated(path, disk, format);
  if (Buffer.compare(disk.subarray(0, guest.length), guest) !== 0)
    throw new Error(`the guest of the ${format} image differs`);
  await assertGuest(image, format, await rawOf(guest, image));
  if (disk.length === guest.length) await judgeBySum(path, image, format);
  return format;
}

/** Undisturbed, or recovered: clean, of that format, exactly as long as it was to be; nothing is left to do. */
export async function judgeEnded(path: RealPath, image: string): Promise<string> {
  const format = await judgeFound(path, image);
  const bytes = await readFile(image);
  if (!LINEAR.has(format)) await assertClean(image, format);
  const isOld = format === path.from && (format !== path.to || bytes.equals(path.bytes));
  if (isOld && LINEAR.has(format) && !bytes.equals(path.bytes)) throw new Error(`it is ${format}, and not as it was`);
  const length = isOld ? path.guest.length : (path.newSize ?? path.guest.length);
  const { disk } = await shownBy(bytes);
  if (disk.length !== length) throw new Error(`its disk has ${disk.length} bytes, not ${length}`);
  if (path.isRelocated && !isOld) wholeGpt(disk);
  return format;
}

/** Each sector is the old or the new one, and the primary table is whole. */
function judgeRelocated({ guest }: RealPath, disk: Buffer, format: string): string {
  const old = Buffer.from(guest);
  const backup = old.length / SECTOR - 33;
  for (let at = 2; at < backup; at++) {
    const [start, end] = [at * SECTOR, (at + 1) * SECTOR];
    if (!disk.subarray(start, end).equals(old.subarray(start, end))) throw new Error(`sector ${at} is not as it was`);
  }
  const { entries, guid } = tableAt(disk, 1);
  const before = tableAt(old, 1);
  if (!entries.equals(before.entries) || guid !== before.guid) throw new Error("the primary tells of other partitions");
  return format;
}

async function judgeBySum({ guest }: RealPath, image: string, format: string): Promise<void> {
  const told = await checksum(image, { format, allowMarkedRaw: true });
  if (told.checksum !== (await blkhashOf(await rawOf(guest, image)))) throw new Error("its checksum is another");
}

/** Outside the image's folder, in which nothing else is to be found. */
async function rawOf(guest: Uint8Array, image: string): Promise<string> {
  const path = `${image.replace(/\/[^/]*$/, "")}.raw`;
  await writeFile(path, guest);
  return path;
}
