/** Which files in an archive are disk images: by the extensions that their tools use, or by how they begin. */

import { imageExtensions } from "../../index.ts";

/** Of checkpoints, which no tool calls an image. */
const FURTHER_EXTENSIONS = [".avhd", ".avhdx"];

/** Of the formats that begin with a mark of their own; the first bytes, as text. */
const MARKS: readonly { readonly at: number; readonly text: string }[] = [
  { at: 0, text: "QFI\xfb" },
  { at: 0, text: "QED\0" },
  { at: 0, text: "KDMV" },
  { at: 0, text: "COWD" },
  { at: 0, text: "# Disk DescriptorFile" },
  { at: 0, text: "conectix" },
  { at: 0, text: "vhdxfile" },
  { at: 0, text: "WithoutFreeSpace" },
  { at: 0, text: "WithouFreSpacExt" },
  // VDI begins with free text; its signature 0xbeda107f stands behind that.
  { at: 64, text: "\x7f\x10\xda\xbe" },
];

/** So many first bytes suffice. */
export const MARK_LENGTH = 68;

export function isImageName(name: string): boolean {
  const lower = name.toLowerCase();
  return [...imageExtensions(), ...FURTHER_EXTENSIONS].some((extension) => lower.endsWith(extension));
}

export function beginsAsImage(start: Uint8Array): boolean {
  const text = Buffer.from(start).toString("latin1");
  return MARKS.some((mark) => text.startsWith(mark.text, mark.at));
}
