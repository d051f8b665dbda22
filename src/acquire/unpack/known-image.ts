/** Which files in an archive are disk images: by the extensions that their tools use, or by how they begin. */

import { imageExtensions, imageMarks } from "../../index.ts";

/** Of checkpoints, which no tool calls an image. */
const FURTHER_EXTENSIONS = [".avhd", ".avhdx"];

/** So many first bytes suffice: the furthest mark is VDI's, behind free text. */
export const MARK_LENGTH = 68;

export function isImageName(name: string): boolean {
  const lower = name.toLowerCase();
  return [...imageExtensions(), ...FURTHER_EXTENSIONS].some((extension) => lower.endsWith(extension));
}

export function beginsAsImage(start: Uint8Array): boolean {
  const text = Buffer.from(start).toString("latin1");
  // What lies at a file's end can't be known before all of it has gone by.
  return imageMarks().some(({ hostOffset, bytes }) => hostOffset >= 0 && text.startsWith(bytes, hostOffset));
}
