/**
 * A small QED image with known contents, written byte by byte; section "Specification" of QEMU's qed_spec.txt.
 *
 *   host    cluster 0   clusters 1..4   5..8       9..
 *           header      L1 table        L2 table   data, in an order unlike the guest's
 */

import { UsageError } from "../bytes/image-error.ts";
import { FileVolume } from "../storage/file/file-volume.ts";
import type { WritableStorage } from "../storage/storage.ts";
import { pathMistakes, refuseMistakes } from "./options/option-rules.ts";

const CLUSTER = 64 * 1024;
const TABLE_CLUSTERS = 4;
const GUEST_CLUSTERS = 1024;
/** Every fourth guest cluster is a hole, every seventh of the others reads as zeros. */
const ZERO_CLUSTER = 1;

export interface DemoImage {
  readonly virtualSize: number;
  /** Bytes of guest data in the file. */
  readonly dataBytes: number;
  readonly fileSize: number;
}

/**
 * Makes the image at `path`, which must not exist.
 *
 * @throws UsageError when the name is taken, ImageError of kind `io` or `no-space`
 */
export async function makeDemoImage(path: string): Promise<DemoImage> {
  refuseMistakes(pathMistakes(path));
  const storage = await new FileVolume().createExclusively(path);
  if (storage === undefined) throw new UsageError(`Cannot make ${path}: the name is taken; choose another folder`);
  try {
    return await writeDemoImage(storage);
  } finally {
    await storage.close();
  }
}

/** The bytes of guest cluster `index`, for those that hold data. */
export function demoCluster(index: number): Uint8Array<ArrayBuffer> {
  const line = `guest cluster ${String(index).padStart(4, "0")} of the demo: a line that must come through unharmed\n`;
  return Uint8Array.from(Buffer.alloc(CLUSTER, line));
}

export async function writeDemoImage(storage: WritableStorage): Promise<DemoImage> {
  const guestClusters = Array.from({ length: GUEST_CLUSTERS }, (_, index) => index);
  const dataClusters = guestClusters.filter((index) => !isHole(index) && !isZero(index));
  const l2 = new DataView(new ArrayBuffer(TABLE_CLUSTERS * CLUSTER));
  for (const index of guestClusters.filter(isZero)) l2.setUint32(8 * index, ZERO_CLUSTER, true);

  const firstData = 1 + 2 * TABLE_CLUSTERS;
  for (const [rank, index] of dataClusters.entries()) {
    // 17 has no factor in common with the count, so each place is taken once.
    const hostOffset = (firstData + ((rank * 17) % dataClusters.length)) * CLUSTER;
    l2.setUint32(8 * index, hostOffset, true);
    await storage.write(hostOffset, demoCluster(index));
  }

  const l1 = new DataView(new ArrayBuffer(TABLE_CLUSTERS * CLUSTER));
  l1.setUint32(0, (1 + TABLE_CLUSTERS) * CLUSTER, true);
  await storage.write(0, header());
  await storage.write(CLUSTER, new Uint8Array(l1.buffer));
  await storage.write((1 + TABLE_CLUSTERS) * CLUSTER, new Uint8Array(l2.buffer));
  await storage.sync();
  return {
    virtualSize: GUEST_CLUSTERS * CLUSTER,
    dataBytes: dataClusters.length * CLUSTER,
    fileSize: (firstData + dataClusters.length) * CLUSTER,
  };
}

function header(): Uint8Array {
  const view = new DataView(new ArrayBuffer(CLUSTER));
  view.setUint32(0, 0x00444551, true); // "QED\0"
  view.setUint32(4, CLUSTER, true);
  view.setUint32(8, TABLE_CLUSTERS, true);
  view.setUint32(12, 1, true); // clusters of the header
  view.setUint32(40, CLUSTER, true); // L1 table
  view.setUint32(48, GUEST_CLUSTERS * CLUSTER, true); // virtual size
  return new Uint8Array(view.buffer);
}

function isHole(index: number): boolean {
  return index % 4 === 3;
}

function isZero(index: number): boolean {
  return !isHole(index) && index % 7 === 5;
}
