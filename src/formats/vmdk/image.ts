/** An opened VMDK: a sparse image that speaks for itself (sparse/image.ts), or the files that a descriptor names. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { ImageFiles } from "../../image/driver.ts";
import type { Image } from "../../image/source.ts";
import type { Sidecar, Storage } from "../../storage/storage.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { MAX_DESCRIPTOR_LENGTH } from "./descriptor.ts";
import { nameOf, readExtents, readSingleDisk, type SingleDisk, singleDisk } from "./extents.ts";
import { openFlat } from "./flat.ts";
import { openJoined } from "./joined.ts";
import { SPARSE_MARK } from "./sparse/fields.ts";
import { openSparse, openSparseExtent } from "./sparse/image.ts";

/**
 * Of what lies in one file `main` is that file with its descriptor as sidecar, or the descriptor, whose file is then asked
 * for by its name; of what lies in several it is the descriptor.
 */
export async function openVmdk({ main, beside }: ImageFiles): Promise<Image> {
  const sidecar = await main.sidecar?.();
  if (sidecar !== undefined) return openSingle(main, sidecar, readSingleDisk(sidecar.bytes, pathOf(main, sidecar)));
  if (await isSparse(main)) return openSparse(main);
  const bytes = await readZeroFilled(main, 0, Math.min(await main.size(), MAX_DESCRIPTOR_LENGTH + 1));
  const disk = readExtents(bytes, main.path);
  const single = singleDisk(disk);
  if ("why" in single) return openJoined(main.path, disk, beside);
  return openSingle(await beside(single.fileName), { name: nameOf(main.path), bytes }, single);
}

async function isSparse(storage: Storage): Promise<boolean> {
  return Buffer.from(await readZeroFilled(storage, 0, SPARSE_MARK.length)).toString("latin1") === SPARSE_MARK;
}

function pathOf({ path }: Storage, { name }: Sidecar): string {
  return path.slice(0, path.length - nameOf(path).length) + name;
}

async function openSingle(extent: Storage, sidecar: Sidecar, disk: SingleDisk): Promise<Image> {
  if (disk.fileName !== nameOf(extent.path)) {
    throw new ImageError("corrupt", say`Cannot open ${imageNamed(extent.path)}`, {
      because: `the descriptor ${sidecar.name} speaks of another file`,
      path: extent.path,
      format: "vmdk",
    });
  }
  if (disk.type === "FLAT") return openFlat(extent, sidecar, disk);
  return openSparseExtent(extent, { descriptor: disk.descriptor, length: disk.virtualSize, guestOffset: 0 });
}
