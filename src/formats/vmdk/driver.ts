/** The VMDK driver, by qemu-img's name: flat disks in one file beside their descriptor; all others are told by name. */

import type { FormatDriver } from "../../image/driver.ts";
import { DESCRIPTOR_MARK, filesNamedIn } from "./descriptor.ts";
import { FLAT, readFlat } from "./flat.ts";
import { openVmdk } from "./image.ts";
import { vmdkTarget } from "./target.ts";

export const vmdkDriver: FormatDriver = {
  name: "vmdk",
  aliases: [],
  extensions: [".vmdk"],
  marks: [{ hostOffset: 0, bytes: DESCRIPTOR_MARK }],
  guestAt: "nowhere",
  open: openVmdk,
  diskOf: (text, path) => readFlat(text, path).fileName,
  filesNamedIn,
  target: vmdkTarget,
  onePiece: { by: "raw", unless: ({ subformat = FLAT }) => subformat !== FLAT },
};
