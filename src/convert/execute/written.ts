/** What was written, read back: a disk may store something else than it was told. */

import { ImageError } from "../../bytes/image-error.ts";
import { placeAt, type Sentence, say } from "../../bytes/sentence.ts";
import type { Epoch } from "../../image/write.ts";
import { readZeroFilled, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { areZeros } from "../../storage/zeros.ts";
import { executeEpoch, gathered, steps, storedParts } from "./execute.ts";

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
  for (const { hostOffset, bytes } of gathered(epoch.writes?.() ?? [])) {
    const found = await readZeroFilled(storage, hostOffset, bytes.length);
    if (Buffer.compare(found, bytes) !== 0) return hostOffset + found.findIndex((byte, at) => byte !== bytes[at]);
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
