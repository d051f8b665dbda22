/** One refcount: how many fit into a block, what one can say, how it is read and written (docs/interop/qcow2.txt, "Host cluster management"). */

import { option, say, type Words } from "../../../bytes/sentence.ts";

/** Narrower refcounts than this can't count how many compressed clusters may share a host cluster. */
export const MIN_BITS_FOR_COMPRESSED = 16;

export function narrowRefcounts(refcountBits: number): Words {
  const because = `refcounts of ${refcountBits} bits can't count the compressed clusters that share a place`;
  return say`${because}; widen them with ${option("target-format-options", "refcount_bits=16")}`;
}

/** Refcounts in one block, or in any other stretch of it. */
export function refcountsPerBlock(byteCount: number, refcountBits: number): number {
  return (byteCount * 8) / refcountBits;
}

/** The largest count that a refcount can say; of 64 bits as a double has it, 2^64, which no image has references for. */
export function maxRefcount(refcountBits: number): number {
  return 2 ** refcountBits - 1;
}

/** One refcount of a block; widths below 8 bits count from the least significant bit of a byte. */
export function refcountAt(block: DataView, index: number, refcountBits: number): number {
  switch (refcountBits) {
    case 8:
      return block.getUint8(index);
    case 16:
      return block.getUint16(index * 2);
    case 32:
      return block.getUint32(index * 4);
    case 64:
      // Exact below 2^53; above it any value differs from every count.
      return block.getUint32(index * 8) * 2 ** 32 + block.getUint32(index * 8 + 4);
    default: {
      const perByte = 8 / refcountBits;
      const shift = (index % perByte) * refcountBits;
      return (block.getUint8(Math.floor(index / perByte)) >>> shift) & ((1 << refcountBits) - 1);
    }
  }
}

/** A refcount as it is stored, also beyond 2^53. */
export function exactRefcountAt(block: DataView, index: number, refcountBits: number): number | bigint {
  const refcount = refcountAt(block, index, refcountBits);
  return Number.isSafeInteger(refcount) ? refcount : block.getBigUint64(index * 8);
}

/** Sets one refcount of a block; its neighbours stay as they are. */
export function setRefcount(block: DataView, index: number, refcountBits: number, refcount: number): void {
  switch (refcountBits) {
    case 8:
      block.setUint8(index, refcount);
      break;
    case 16:
      block.setUint16(index * 2, refcount);
      break;
    case 32:
      block.setUint32(index * 4, refcount);
      break;
    case 64:
      block.setUint32(index * 8, Math.floor(refcount / 2 ** 32));
      block.setUint32(index * 8 + 4, refcount % 2 ** 32);
      break;
    default: {
      const perByte = 8 / refcountBits;
      const shift = (index % perByte) * refcountBits;
      const at = Math.floor(index / perByte);
      const others = block.getUint8(at) & ~(((1 << refcountBits) - 1) << shift);
      block.setUint8(at, others | (refcount << shift));
    }
  }
}
