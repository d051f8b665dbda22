/** Reads a small flat VMDK in memory the slow and obvious way, apart from all code under test. */

import { TEXT_LENGTH } from "./joined.ts";

export function readFlatNaively(joined: Uint8Array): Uint8Array {
  const text = Buffer.from(joined.subarray(0, TEXT_LENGTH)).toString("latin1").split("\0")[0] as string;
  const lines = text.split("\n");
  if (!lines.includes('createType="monolithicFlat"')) throw new Error("no flat VMDK");
  const extents = lines.filter((line) => line.startsWith("RW "));
  const [, sectors, type, , offset] = (extents[0] as string).split(" ");
  if (extents.length !== 1 || type !== "FLAT" || offset !== "0") throw new Error("its extent is another");
  const size = Number(sectors) * 512;
  if (size > joined.length - TEXT_LENGTH) throw new Error(`${size} bytes end behind the file`);
  return joined.slice(TEXT_LENGTH, TEXT_LENGTH + size);
}
