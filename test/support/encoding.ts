/** Plays the compression of a qcow2's clusters on bytes in memory, epoch by epoch. */

import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import type { EncodedUnit } from "../../src/image/encoder.ts";
import type { Epoch } from "../../src/image/write.ts";
import { applyEpoch } from "./apply-epoch.ts";
import { LiveBytes } from "./live-bytes.ts";

export interface EncodedFile {
  readonly bytes: Uint8Array;
  /** Of all batches. */
  readonly units: readonly EncodedUnit[];
  readonly epochCount: number;
  /** The file's length at its longest. */
  readonly longest: number;
}

/** `beforeEpoch` hears each epoch before it is performed on `file`. */
export async function encodeInMemory(
  bytes: Uint8Array,
  maxBatchBytes: number,
  beforeEpoch: (file: Uint8Array, epoch: Epoch) => Promise<void> = async () => {},
): Promise<EncodedFile> {
  const live = new LiveBytes(bytes);
  const encoder = await (await Qcow2Image.open(live)).openEncoder({ maxBatchBytes });
  const units: EncodedUnit[] = [];
  let epochCount = 0;
  let longest = bytes.length;
  const perform = async (epoch: Epoch) => {
    await beforeEpoch(live.bytes, epoch);
    live.bytes = applyEpoch(live.bytes, epoch);
    longest = Math.max(longest, live.bytes.length);
    epochCount++;
  };
  for await (const step of encoder.steps()) {
    if ("beforehand" in step) {
      await perform({ purpose: step.beforehand.purpose, writes: () => step.beforehand.writes });
      continue;
    }
    const { writes, fileSize, repoint } = step.batch;
    units.push(...step.batch.units);
    await perform({ purpose: "streams", writes: () => writes, fileSize });
    const words = await repoint();
    if (words.length > 0) await perform({ purpose: "re-point", writes: () => words });
  }
  return { bytes: live.bytes, units, epochCount, longest };
}
