/** A monolithicFlat disk as its descriptor has it: every rule that it must keep before the file that it names is opened. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { whyNoPlainName } from "../../bytes/plain-name.ts";
import { parseDescriptor, type Refuse, refusing, type VmdkDescriptor } from "./descriptor.ts";
import { COPY_IT, onlyExtent, printable } from "./rules.ts";

export const FLAT = "monolithicFlat";

/** Offsets and sizes in bytes. */
export interface FlatDisk {
  readonly descriptor: VmdkDescriptor;
  /** A plain name in the descriptor's folder. */
  readonly fileName: string;
  readonly virtualSize: number;
}

/** Throws ImageError for the first rule that is broken. `path` is the descriptor's. */
export function readFlat(bytes: Uint8Array, path: string): FlatDisk {
  const refuse = refusing(path);
  const descriptor = parseDescriptor(bytes, refuse);
  const extent = onlyExtent(descriptor, [FLAT], refuse);
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
