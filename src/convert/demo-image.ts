/**
 * A small raw disk with known contents: data where a guest would have it, holes everywhere else.
 *
 *   |data......|  |data|       |d| |d| |d| |d|   |data|         |d|
 */

import { UsageError } from "../bytes/image-error.ts";
import { FileVolume } from "../storage/file/file-volume.ts";
import type { WritableStorage } from "../storage/storage.ts";
import { pathMistakes, refuseMistakes } from "./options/option-rules.ts";

const CLUSTER = 64 * 1024;
const GUEST_CLUSTERS = 512;
/** Guest clusters that hold data: from, to, of how many the first. */
const DATA = [
  [0, 70, 1],
  [110, 150, 1],
  [200, 300, 6],
  [340, 410, 1],
  [511, 512, 1],
] as const;

export interface DemoImage {
  readonly virtualSize: number;
  /** Bytes of guest data in the file. */
  readonly dataBytes: number;
  readonly fileSize: number;
}

/**
 * Makes the disk at `path`, which must not exist.
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

/** Which guest clusters hold data. */
export function demoClusters(): readonly number[] {
  return DATA.flatMap(([from, to, every]) =>
    Array.from({ length: Math.ceil((to - from) / every) }, (_, rank) => from + rank * every),
  );
}

export async function writeDemoImage(storage: WritableStorage): Promise<DemoImage> {
  const size = GUEST_CLUSTERS * CLUSTER;
  await storage.resize(size);
  const clusters = demoClusters();
  for (const index of clusters) await storage.write(index * CLUSTER, demoCluster(index));
  await storage.sync();
  return { virtualSize: size, dataBytes: clusters.length * CLUSTER, fileSize: size };
}
