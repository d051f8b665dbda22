/**
 * The disk of a descriptor that stands beside it, in one file or in several ("Virtual Disk Format 5.0", "Extent Description"):
 * every rule that its lines must keep before a file that they name is opened.
 *
 *   RW 4192256 SPARSE "disk-s001.vmdk"     each line a part of the disk, one behind another
 *   RW 4192256 ZERO                        that part reads as zeros
 *   RW 2048 FLAT "disk-f003.vmdk" 0
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { whyNoPlainName } from "../../bytes/plain-name.ts";
import { imageNamed, say, type Words } from "../../bytes/sentence.ts";
import { parseDescriptor, type Refuse, refusing, type VmdkDescriptor, type VmdkExtent } from "./descriptor.ts";
import { COPY_IT, printable, refuseUnread } from "./rules.ts";

export const FLAT = "monolithicFlat";
export const SPLIT_FLAT = "twoGbMaxExtentFlat";
export const SPLIT_SPARSE = "twoGbMaxExtentSparse";

/** Each stays open as long as the image is; of 2 GiB each they are 2 TiB, the most that such an image has. */
const MAX_FILES = 1024;

/** Offsets and sizes in bytes. */
export interface DiskExtent {
  readonly type: "FLAT" | "SPARSE" | "ZERO";
  readonly isWritable: boolean;
  /** A plain name in the descriptor's folder; of zeros empty. */
  readonly fileName: string;
  /** Where the extent begins in its file; 0 but for a flat one. */
  readonly hostOffset: number;
  readonly guestOffset: number;
  readonly length: number;
}

export interface DescribedDisk {
  readonly descriptor: VmdkDescriptor;
  readonly virtualSize: number;
  /** In the disk's order, without a gap. */
  readonly extents: readonly DiskExtent[];
}

/** Throws ImageError for the first rule that is broken. `path` is the descriptor's. */
export function readExtents(bytes: Uint8Array, path: string): DescribedDisk {
  const refuse = refusing(path);
  const descriptor = parseDescriptor(bytes, refuse);
  refuseUnread(descriptor, [FLAT, SPLIT_FLAT, SPLIT_SPARSE], refuse);
  const { extents: lines, createType } = descriptor;
  const [first, second] = lines;
  if (first === undefined) throw refuse("corrupt", "its descriptor names no extent", 0);
  if (createType === FLAT) {
    if (second !== undefined)
      throw refuse("corrupt", `its descriptor names two extents, ${createType} has one`, second.at);
    refuseMonolithic(first, refuse);
  }
  const names = new Set([nameOf(path)]);
  const extents: DiskExtent[] = [];
  let end = 0;
  for (const line of lines) {
    const extent = extentOf(line, end, refuse);
    end += extent.length;
    if (!Number.isSafeInteger(end)) throw refuse("corrupt", "its extents are larger than any disk", line.at);
    extents.push(extent);
    if (extent.type === "ZERO") continue;
    refuseName(line, descriptor, refuse);
    if (line.fileName === nameOf(path)) throw refuse("corrupt", "its descriptor names itself as its extent", line.at);
    if (names.has(line.fileName))
      throw refuse("corrupt", `its descriptor names ${printable(line.fileName)} as two of its extents`, line.at);
    names.add(line.fileName);
    if (names.size > MAX_FILES + 1)
      throw refuse("unsupported", `its disk lies in over ${MAX_FILES} files`, line.at, COPY_IT);
  }
  return { descriptor, virtualSize: end, extents };
}

/** Its disk lies in one file, which may be converted where it is. */
function refuseMonolithic({ access, type, offset, at }: VmdkExtent, refuse: Refuse): void {
  if (type !== "FLAT") throw refuse("unsupported", `its extent is ${type}, not FLAT`, at, COPY_IT);
  // QEMU passes over any other, and shows a disk of no bytes.
  if (access !== "RW") throw refuse("unsupported", `its extent is ${access}, not RW`, at);
  // Programs differ in what they take a missing one for.
  if (offset !== 0) throw refuse("unsupported", "its extent does not begin at offset 0 of its file", at);
}

function extentOf({ access, type, offset, sectors, fileName, at }: VmdkExtent, guestOffset: number, refuse: Refuse) {
  if (type !== "FLAT" && type !== "SPARSE" && type !== "ZERO")
    throw refuse("unsupported", `one of its extents is ${printable(type)}, not FLAT, SPARSE or ZERO`, at, COPY_IT);
  if (access === "NOACCESS") throw refuse("unsupported", "one of its extents is NOACCESS, not to be read", at);
  if (sectors === 0 || !Number.isSafeInteger(sectors * SECTOR_SIZE))
    throw refuse("corrupt", `its extent has ${sectors} sectors`, at);
  if (type === "FLAT" && offset === undefined)
    throw refuse("unsupported", "one of its extents does not say where in its file it begins", at);
  if (type !== "FLAT" && (offset ?? 0) !== 0)
    throw refuse("corrupt", `one of its extents is ${type}, and is said to begin at sector ${offset} of its file`, at);
  const [hostOffset, length] = [(offset ?? 0) * SECTOR_SIZE, sectors * SECTOR_SIZE];
  if (!Number.isSafeInteger(hostOffset + length))
    throw refuse("corrupt", "one of its extents begins beyond the end of any file", at);
  const isWritable = access === "RW";
  return { type, isWritable, fileName: type === "ZERO" ? "" : fileName, hostOffset, guestOffset, length } as const;
}

function refuseName({ fileName, at }: VmdkExtent, { values }: VmdkDescriptor, refuse: Refuse): void {
  const why = whyNoPlainName(fileName);
  if (why !== undefined)
    throw refuse(
      "unsupported",
      `the name of its extent, "${printable(fileName)}", ${why}`,
      at,
      "name a file beside it",
    );
  const encoding = values.get("encoding") ?? "UTF-8";
  if (!/^utf-?8$/i.test(encoding) && /[^ -~]/.test(fileName))
    throw refuse("unsupported", `the name of its extent is said to be ${printable(encoding)}, not UTF-8`, at);
}

/** A disk in one file, which that file can hold by itself in another format. */
export interface SingleDisk {
  readonly descriptor: VmdkDescriptor;
  readonly type: "FLAT" | "SPARSE";
  readonly fileName: string;
  readonly virtualSize: number;
}

/** The disk as that of its one file; why it is none where it is not. */
export function singleDisk({ descriptor, virtualSize, extents }: DescribedDisk): SingleDisk | { readonly why: Words } {
  const [only] = extents as readonly [DiskExtent, ...DiskExtent[]];
  const { type, fileName, isWritable, hostOffset } = only;
  if (extents.length > 1) {
    const names = extents.flatMap((extent) => (extent.type === "ZERO" ? [] : [printable(extent.fileName)]));
    const told = names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
    return {
      why: `its disk lies in ${counted(extents.length, "part")} (${told || "all zeros"}), and no file of them can become all of it`,
    };
  }
  if (type === "ZERO") return { why: "its disk lies in no file" };
  if (!isWritable) return { why: "its extent is RDONLY, not RW" };
  if (hostOffset > 0) return { why: "its extent does not begin at offset 0 of its file" };
  return { descriptor, type, fileName, virtualSize };
}

/** The same for whoever may write. Throws ImageError. */
export function readSingleDisk(bytes: Uint8Array, path: string): SingleDisk {
  const single = singleDisk(readExtents(bytes, path));
  if (!("why" in single)) return single;
  throw new ImageError("unsupported", say`Cannot work on ${imageNamed(path)}`, {
    because: single.why,
    remedy: COPY_IT,
    path,
    format: "vmdk",
    structure: "descriptor",
  });
}

/** A path's last name. */
export function nameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
