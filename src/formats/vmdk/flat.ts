/** A monolithicFlat disk as its descriptor has it: every rule that it must keep before the file that it names is opened. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { whyNoPlainName } from "../../bytes/plain-name.ts";
import { NO_PARENT, parseDescriptor, type Refuse, refusing, type VmdkDescriptor } from "./descriptor.ts";

export const FLAT = "monolithicFlat";

/** Offsets and sizes in bytes. */
export interface FlatDisk {
  readonly descriptor: VmdkDescriptor;
  /** A plain name in the descriptor's folder. */
  readonly fileName: string;
  readonly virtualSize: number;
}

const COPY_IT = "make a qcow2 copy of it first: qemu-img convert -f vmdk -O qcow2";

/** Throws ImageError for the first rule that is broken. `path` is the descriptor's. */
export function readFlat(bytes: Uint8Array, path: string): FlatDisk {
  const refuse = refusing(path);
  const descriptor = parseDescriptor(bytes, refuse);
  const { createType, parentCid, placeOf } = descriptor;
  if (createType !== FLAT) {
    const because = `it is a VMDK image (${printable(createType)}), which can't be read yet`;
    throw refuse("unsupported", because, placeOf("createType"), COPY_IT);
  }
  if (parentCid !== NO_PARENT || descriptor.values.has("parentfilenamehint")) {
    const because = "it is a VMDK image that holds what differs from another, its parent";
    throw refuse("unsupported", because, placeOf("parentCID"), COPY_IT);
  }
  const [extent, second] = descriptor.extents;
  if (extent === undefined) throw refuse("corrupt", "its descriptor names no extent", 0);
  if (second !== undefined) throw refuse("corrupt", `its descriptor names two extents, ${FLAT} has one`, second.at);
  const { access, type, offset, sectors, at } = extent;
  if (type !== "FLAT") throw refuse("unsupported", `its extent is ${type}, not FLAT`, at, COPY_IT);
  // QEMU passes over any other, and shows a disk of no bytes.
  if (access !== "RW") throw refuse("unsupported", `its extent is ${access}, not RW`, at);
  // Programs differ in what they take a missing one for.
  if (offset !== 0) throw refuse("unsupported", "its extent does not begin at offset 0 of its file", at);
  if (sectors === 0 || !Number.isSafeInteger(sectors * SECTOR_SIZE))
    throw refuse("corrupt", `its extent has ${sectors} sectors`, at);
  refuseName(descriptor, refuse, nameOf(path));
  return { descriptor, fileName: extent.fileName, virtualSize: sectors * SECTOR_SIZE };
}

function refuseName({ extents, values }: VmdkDescriptor, refuse: Refuse, ownName: string): void {
  const { fileName = "", at = 0 } = extents[0] ?? {};
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
  if (fileName === ownName) throw refuse("corrupt", "its descriptor names itself as its extent", at);
}

/** A path's last name. */
export function nameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** For messages: short, and nothing that a terminal takes for something else. */
function printable(text: string): string {
  return text.slice(0, 100).replace(/[^ -~]/g, "?");
}
