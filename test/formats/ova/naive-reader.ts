/** Reads the disk of a small OVA in memory the slow and obvious way: the member that begins as a sparse VMDK does. */

import { readSparseNaively } from "../vmdk/sparse/naive-reader.ts";

export function readOvaNaively(file: Uint8Array): Uint8Array {
  const image = Buffer.from(file);
  let size: number | undefined;
  for (let at = 0; at + 512 <= image.length && image[at + 257] !== 0; ) {
    const type = image.toString("latin1", at + 156, at + 157);
    const said =
      image[at + 124] === 0x80
        ? image.readUIntBE(at + 130, 6)
        : Number.parseInt(image.toString("latin1", at + 124, at + 135), 8);
    const content = image.subarray(at + 512, at + 512 + (type === "0" ? (size ?? said) : said));
    if (type === "x") size = Number(/ size=(\d+)\n/.exec(content.toString("latin1"))?.[1]);
    else if (type === "0") size = undefined;
    if (content.toString("latin1", 0, 4) === "KDMV") return readSparseNaively(content);
    at += 512 + Math.ceil(content.length / 512) * 512;
  }
  throw new Error("no OVA with a sparse VMDK");
}
