/** What a repair counts: every reference but those of the refcount structure, which may be the thing to be replaced. */

import type { Storage } from "../../../storage/storage.ts";
import { geometryOf } from "../header/geometry.ts";
import { readHeader } from "../header/header.ts";
import { type Bitmap, countBitmaps, readBitmapDirectory } from "../tables/bitmap-directory.ts";
import { ReferenceTally } from "../tables/reference-tally.ts";
import { countSnapshots } from "../tables/snapshot-table.ts";
import { countActiveTables, type WalkSource, walkSharedTables } from "../tables/table-walk.ts";

/** One image as `storage` shows it, with nothing counted yet. */
export async function openSource(storage: Storage): Promise<WalkSource & { readonly bitmaps: readonly Bitmap[] }> {
  const header = await readHeader(storage);
  const geometry = geometryOf(header, await storage.size());
  const bitmaps = await readBitmapDirectory(storage, header, geometry);
  return { storage, header, geometry, tally: new ReferenceTally(geometry), bitmaps };
}

/**
 * Counts the header, the tables and clusters of the active view and of the snapshots, the bitmaps and the encryption
 * header; what is wrong with entries is in the tally's findings.
 *
 * @throws ImageError where something can't be counted: then nothing may be concluded from the counts
 */
export async function surveyReferences(storage: Storage): Promise<WalkSource> {
  const source = await openSource(storage);
  const { header, geometry, tally, bitmaps } = source;
  await countActiveTables(source);
  tally.countMetadata(0, geometry.clusterSize, "header");
  await walkSharedTables(source, await countSnapshots(source));
  const { encryptionHeader } = header.extensions;
  if (encryptionHeader !== undefined) {
    tally.countMetadata(encryptionHeader.hostOffset, encryptionHeader.length, "encryption header");
  }
  await countBitmaps(source, bitmaps);
  return source;
}
