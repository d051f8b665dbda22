/** What was written, read back: a disk may store something else than it was told. */

import { ImageError } from "../../bytes/image-error.ts";
import { giveScratchBack, takeScratch } from "../../bytes/scratch.ts";
import { placeAt, type Sentence, say } from "../../bytes/sentence.ts";
import type { Epoch, HostCopy } from "../../image/write.ts";
import { inBatches } from "../../storage/copies.ts";
import { readZeroFilled, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { areZeros } from "../../storage/zeros.ts";
import { COPY_STEP, executeEpoch, gathered, pause, steps, storedParts } from "./execute.ts";

/** Throws ImageError `verification-failed`, which begins with `what`, where the file does not read as the epoch's writes left it. */
export async function refuseWrongBytes(storage: Storage, epoch: Epoch, what: Sentence): Promise<void> {
  refuse(storage, await firstWrongByte(storage, epoch), what);
}

/**
 * The same of bytes that have no other version, such as pointers in live tables: what does not read as it was written is
 * written once more, if it is known that nobody else wrote there.
 */
export async function mendWrongBytes(storage: WritableStorage, epoch: Epoch, what: Sentence): Promise<void> {
  let hostOffset = await firstWrongByte(storage, epoch);
  if (hostOffset >= 0 && !storage.hasLateFingerprint) {
    await executeEpoch(storage, epoch);
    hostOffset = await firstWrongByte(storage, epoch);
  }
  refuse(storage, hostOffset, what);
}

/** The host offset of a copy that does not read as what it was made of, at a multiple of a step behind its start; -1 where all do. */
export async function firstOtherCopy(storage: Storage, copies: readonly HostCopy[]): Promise<number> {
  const old = Buffer.allocUnsafe(COPY_STEP);
  const copied = Buffer.allocUnsafe(COPY_STEP);
  for (const batch of inBatches(copies, COPY_STEP)) {
    for (const { fromHostOffset, toHostOffset, length } of batch) {
      const wanted = old.subarray(0, length);
      const found = copied.subarray(0, length);
      await readSoon(storage, fromHostOffset, wanted);
      await readSoon(storage, toHostOffset, found);
      if (!wanted.equals(found)) return toHostOffset;
    }
    // A sync is waited for meanwhile, and what comes after it has to be begun.
    await pause();
  }
  return -1;
}

/** What has been read or written a moment ago comes from memory. */
async function readSoon(storage: Storage, hostOffset: number, into: Buffer): Promise<void> {
  into.fill(0, storage.readAtOnce?.(hostOffset, into) ?? (await storage.read(hostOffset, into)));
}

function refuse({ path }: Storage, hostOffset: number, what: Sentence): void {
  if (hostOffset < 0) return;
  throw new ImageError("verification-failed", what, {
    because: say`host offset ${placeAt(hostOffset)} does not read as it was written`,
    path,
    hostOffset,
    operation: "verify",
  });
}

/**
 * The first host offset at which the file does not read as the epoch's writes left it, or -1: a disk that stores
 * something else than it was told, in bytes that no reader of the image may ever look at.
 */
async function firstWrongByte(storage: Storage, epoch: Epoch): Promise<number> {
  for (const { hostOffset, bytes } of gathered(epoch)) {
    const buffer = takeScratch(bytes.length);
    try {
      const found = buffer.subarray(0, bytes.length);
      found.fill(0, await storage.read(hostOffset, found));
      if (Buffer.compare(found, bytes) !== 0) return hostOffset + found.findIndex((byte, at) => byte !== bytes[at]);
    } finally {
      giveScratchBack(buffer);
    }
  }
  const zeros = epoch.zeros && (await storedParts(storage, epoch.zeros));
  for (const { start, end } of zeros?.each() ?? []) {
    for (const [skip, step] of steps(end - start)) {
      const found = await readZeroFilled(storage, start + skip, step);
      if (!areZeros(found)) return start + skip + found.findIndex((byte) => byte !== 0);
    }
  }
  return -1;
}
