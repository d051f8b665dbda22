/** A qcow2 target as bytes: its commit sector and its new tables, with zeros for everything else. */

import { RangeSet } from "../../../src/bytes/range-set.ts";
import { qcow2Target } from "../../../src/formats/qcow2/target/target.ts";
import type { ConversionOptions } from "../../../src/image/source.ts";
import type { MappedDraft } from "../../../src/image/target.ts";

export function qcow2InMemory(mapped: MappedDraft, source: ConversionOptions): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(mapped.fileSize);
  for (const { hostOffset, bytes } of mapped.additiveWrites()) file.set(bytes, hostOffset);
  const { extras, sector } = qcow2Target.copyHeader(mapped, source, new Uint8Array(mapped.clusterSize), new RangeSet());
  for (const { hostOffset, bytes } of extras) file.set(bytes, hostOffset);
  file.set(sector, 0);
  return file;
}
