/** Damages an image on purpose: fields by their names in the specifications, table entries by following the pointers. */

import { open } from "node:fs/promises";
import { kitOf } from "../formats/kits.ts";

export type Width = 1 | 2 | 4 | 8;

/** Where a value lies, in the format's byte order. */
export interface PatchedImage {
  readonly length: number;
  read(hostOffset: number): number;
  write(hostOffset: number, value: number | bigint, width?: Width): void;
  resize(length: number): void;
}

/** Opens, patches and closes; table entries are 8 bytes, header words 4. */
export async function patch(path: string, format: string, change: (image: PatchedImage) => void): Promise<void> {
  const file = await open(path, "r+");
  try {
    const bytes = Buffer.alloc((await file.stat()).size);
    await file.read(bytes, 0, bytes.length, 0);
    let length = bytes.length;
    const { isLittleEndian } = kitOf(format);
    change({
      length,
      read: (hostOffset) =>
        Number(isLittleEndian ? bytes.readBigUInt64LE(hostOffset) : bytes.readBigUInt64BE(hostOffset)),
      write: (hostOffset, value, width = 8) => {
        const word = Buffer.alloc(8);
        word.writeBigUInt64BE(BigInt(value));
        const big = word.subarray(8 - width);
        bytes.set(isLittleEndian ? big.reverse() : big, hostOffset);
      },
      resize: (size) => {
        length = size;
      },
    });
    await file.write(bytes, 0, bytes.length, 0);
    await file.truncate(length);
  } finally {
    await file.close();
  }
}
