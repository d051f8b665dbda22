/**
 * A QED image with known contents on the disk, written byte by byte; section "Specification" of QEMU's qed_spec.txt.
 *
 *   host    cluster 0   clusters 1..4   5..8       9..
 *           header      L1 table        L2 table   data, in an order unlike the guest's
 */

import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cli, spawnNode } from "../dist/spawn.ts";

const CLUSTER = 64 * 1024;
const TABLE_CLUSTERS = 4;
const GUEST_CLUSTERS = 1024;
/** Every fourth guest cluster is a hole, every seventh of the others reads as zeros. */
const ZERO_CLUSTER = 1;

/** Makes it at `path`, 41 MiB long where nothing else is said. */
export async function makeDemoQed(path: string, guestClusters = GUEST_CLUSTERS): Promise<void> {
  writeFileSync(path, demoQed(guestClusters));
}

/** The same in 2 MiB, for tests to which its length is no matter. */
export function makeSmallDemoQed(path: string): Promise<void> {
  return makeDemoQed(path, 32);
}

/** `original.qed`, and as `demo.img` what the built command line makes of it as qcow2. */
export function makeDemoImages(folder: string): void {
  writeFileSync(join(folder, "original.qed"), demoQed(GUEST_CLUSTERS));
  copyFileSync(join(folder, "original.qed"), join(folder, "demo.img"));
  const { exitCode, stderr } = spawnNode([cli, "convert", "demo.img", "qcow2", "-q"], folder);
  if (exitCode !== 0) throw new Error(stderr);
}

function demoQed(guestClusters: number): Uint8Array {
  const indexes = Array.from({ length: guestClusters }, (_, index) => index);
  const dataClusters = indexes.filter((index) => !isHole(index) && !isZero(index));
  const firstData = 1 + 2 * TABLE_CLUSTERS;
  const bytes = new Uint8Array((firstData + dataClusters.length) * CLUSTER);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x00444551, true); // "QED\0"
  view.setUint32(4, CLUSTER, true);
  view.setUint32(8, TABLE_CLUSTERS, true);
  view.setUint32(12, 1, true); // clusters of the header
  view.setUint32(40, CLUSTER, true); // L1 table
  view.setUint32(48, guestClusters * CLUSTER, true); // virtual size
  const l2 = (1 + TABLE_CLUSTERS) * CLUSTER;
  view.setUint32(CLUSTER, l2, true);
  for (const index of indexes.filter(isZero)) view.setUint32(l2 + 8 * index, ZERO_CLUSTER, true);
  for (const [rank, index] of dataClusters.entries()) {
    // 17 has no factor in common with the count, so each place is taken once.
    const hostOffset = (firstData + ((rank * 17) % dataClusters.length)) * CLUSTER;
    view.setUint32(l2 + 8 * index, hostOffset, true);
    const line = `guest cluster ${String(index).padStart(4, "0")} of the demo: a line that must come through unharmed\n`;
    bytes.set(Buffer.alloc(CLUSTER, line), hostOffset);
  }
  return bytes;
}

function isHole(index: number): boolean {
  return index % 4 === 3;
}

function isZero(index: number): boolean {
  return !isHole(index) && index % 7 === 5;
}
