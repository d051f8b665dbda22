/** Damages an image on purpose: fields by their names in the specifications, table entries by following the pointers. */

import { open } from "node:fs/promises";

export type Width = 1 | 2 | 4 | 8;

/** Where a value lies, and how: QED is little-endian, qcow2 big-endian. */
export interface PatchedImage {
  readonly length: number;
  read(hostOffset: number): number;
  write(hostOffset: number, value: number | bigint, width?: Width): void;
  resize(length: number): void;
}

/** Opens, patches and closes; table entries are 8 bytes, header words 4. */
export async function patch(
  path: string,
  format: "qed" | "qcow2",
  change: (image: PatchedImage) => void,
): Promise<void> {
  const file = await open(path, "r+");
  try {
    const bytes = Buffer.alloc((await file.stat()).size);
    await file.read(bytes, 0, bytes.length, 0);
    let length = bytes.length;
    const isLittle = format === "qed";
    change({
      length,
      read: (hostOffset) => Number(isLittle ? bytes.readBigUInt64LE(hostOffset) : bytes.readBigUInt64BE(hostOffset)),
      write: (hostOffset, value, width = 8) => {
        const word = Buffer.alloc(8);
        word.writeBigUInt64BE(BigInt(value));
        const big = word.subarray(8 - width);
        bytes.set(isLittle ? big.reverse() : big, hostOffset);
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

/** Bits 9 to 55 of a qcow2 table entry, as far as test images reach. */
const QCOW2_OFFSET = 2 ** 56;

export const qcow2Places = {
  l1: (image: PatchedImage): number => image.read(40),
  l2: (image: PatchedImage): number => image.read(image.read(40)) % QCOW2_OFFSET,
  refcountTable: (image: PatchedImage): number => image.read(48),
  refcountBlock: (image: PatchedImage): number => image.read(image.read(48)),
} as const;

export const qedPlaces = {
  l1: (image: PatchedImage): number => image.read(40),
  l2: (image: PatchedImage): number => image.read(image.read(40)),
} as const;
