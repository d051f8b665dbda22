/** The VMDK driver, by qemu-img's name: sparse images of one file, flat and split ones in the files that their descriptor names; all others are told by name. */

import type { FormatDriver } from "../../image/driver.ts";
import { DESCRIPTOR_MARK, filesNamedIn } from "./descriptor.ts";
import { FLAT, readSingleDisk } from "./extents.ts";
import { SPARSE_MARK } from "./sparse/fields.ts";

/** A sparse image bears the format's other mark. */
function isText(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, DESCRIPTOR_MARK.length)).toString("latin1") === DESCRIPTOR_MARK;
}

const reader = () => import("./image.ts");

export const vmdkDriver: FormatDriver = {
  name: "vmdk",
  aliases: [],
  extensions: [".vmdk"],
  marks: [
    { hostOffset: 0, bytes: DESCRIPTOR_MARK },
    { hostOffset: 0, bytes: SPARSE_MARK },
  ],
  guestAt: "nowhere",
  load: reader,
  open: async (files) => (await reader()).openVmdk(files),
  diskOf(text, path) {
    if (!isText(text)) return undefined;
    const { fileName, type } = readSingleDisk(text, path);
    return { fileName, isMarked: type === "SPARSE" };
  },
  filesNamedIn: (text) => (isText(text) ? filesNamedIn(text) : []),
  onePiece: { by: "raw", unless: ({ subformat }) => subformat !== FLAT },
};
