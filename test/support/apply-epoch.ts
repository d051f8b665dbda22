/** Performs an epoch on bytes in memory: wholly, or as a power cut in its middle may leave it. */

import type { Epoch, Write } from "../../src/image/write.ts";
import type { Random } from "./random.ts";

const SECTOR_SIZE = 512;

/** The file after the epoch and its sync. Writes that would touch a range twice are an error of the plan. */
export function applyEpoch(file: Uint8Array, epoch: Epoch): Uint8Array {
  const writes = epochWrites(file, epoch);
  const end = writes.reduce((most, { hostOffset, bytes }) => Math.max(most, hostOffset + bytes.length), file.length);
  const after = new Uint8Array(Math.max(end, epoch.fileSize ?? 0));
  after.set(file);
  for (const { hostOffset, bytes } of writes) after.set(bytes, hostOffset);
  return after.slice(0, epoch.fileSize ?? end);
}

/** The file after a cut in the epoch: each written sector old, new or (if fresh) zeros, its length any in between. */
export function tearEpoch(file: Uint8Array, epoch: Epoch, random: Random): Uint8Array {
  const writes = epochWrites(file, epoch);
  const end = writes.reduce((most, { hostOffset, bytes }) => Math.max(most, hostOffset + bytes.length), file.length);
  const sizes = [file.length, end, epoch.fileSize ?? end, random.chance(0.5) ? file.length : end];
  const largest = Math.max(end, epoch.fileSize ?? 0);
  const next = new Uint8Array(largest);
  next.set(file);
  for (const { hostOffset, bytes } of writes) next.set(bytes, hostOffset);
  const torn = new Uint8Array(largest);
  torn.set(file);
  const bias = random.pick([0.05, 0.5, 0.95]);
  for (let at = 0; at < largest; at += SECTOR_SIZE) {
    if (random.chance(bias)) torn.set(next.subarray(at, at + SECTOR_SIZE), at);
  }
  return torn.slice(0, random.pick(sizes));
}

/** All bytes that the epoch writes, copies included; copies read what was there before the epoch. */
function epochWrites(file: Uint8Array, epoch: Epoch): Write[] {
  const copies = [...(epoch.hostCopies ?? [])].map(({ fromHostOffset, toHostOffset, length }) => ({
    hostOffset: toHostOffset,
    bytes: file.slice(fromHostOffset, fromHostOffset + length),
  }));
  const writes = [...copies, ...(epoch.writes?.() ?? [])];
  const sorted = [...writes].sort((a, b) => a.hostOffset - b.hostOffset);
  for (const [at, { hostOffset }] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before !== undefined && before.hostOffset + before.bytes.length > hostOffset) {
      throw new Error(`"${epoch.purpose}" writes host offset ${hostOffset} twice`);
    }
  }
  return writes;
}
