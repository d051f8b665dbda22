/** Bytes of a file, written once more as they are: after a failed sync the page cache shows what the disk may lack. */

import { MiB } from "../bytes/align.ts";
import { ImageError } from "../bytes/image-error.ts";
import { imageNamed, placeAt, say } from "../bytes/sentence.ts";
import { readZeroFilled, type Storage, type WritableStorage } from "./storage.ts";

/** Writes [start, end) as it is read; what lies past the end of file is left out. The caller syncs. */
export async function rewriteRange(storage: WritableStorage, start: number, end: number): Promise<void> {
  const last = Math.min(end, await storage.size());
  for (let at = start; at < last; at += MiB) {
    await storage.write(at, await readTwice(storage, at, Math.min(MiB, last - at)));
  }
}

/** What is read only to be written back is read twice: a read that goes wrong once must not become the file. */
export async function readTwice(
  storage: Storage,
  hostOffset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const [bytes, again] = [
    await readZeroFilled(storage, hostOffset, length),
    await readZeroFilled(storage, hostOffset, length),
  ];
  if (Buffer.compare(bytes, again) === 0) return bytes;
  throw new ImageError("io", say`Cannot trust ${imageNamed(storage.path)}`, {
    because: say`${length} bytes at host offset ${placeAt(hostOffset)} read differently twice`,
    remedy: "look at the disk",
    path: storage.path,
    hostOffset,
    operation: "read",
  });
}
