/** What `qemu-img info` says of a qcow2 image beyond the common lines, in its order and names. */

import { hasFlag } from "../../bytes/struct.ts";
import type { Bitmap } from "./bitmap-directory.ts";
import { AutoclearBit, CompatibleBit, IncompatibleBit, type Qcow2Header } from "./header.ts";

export function specificInfo(header: Qcow2Header, bitmaps: readonly Bitmap[]): Readonly<Record<string, unknown>> {
  const { incompatible, compatible, autoclear, extensions, refcountBits, compression } = header;
  const common = { compat: header.version === 2 ? "0.10" : "1.1", "compression-type": compression };
  const encrypt = header.encryption === undefined ? {} : { encrypt: { format: header.encryption } };
  if (header.version === 2) return { ...common, "refcount-bits": refcountBits, ...encrypt };
  return {
    ...common,
    "lazy-refcounts": hasFlag(compatible, CompatibleBit.lazyRefcounts),
    ...(bitmaps.length === 0 ? {} : { bitmaps: bitmaps.map(bitmapInfo) }),
    "refcount-bits": refcountBits,
    ...encrypt,
    ...(header.hasDataFile
      ? { "data-file": extensions.dataFileName ?? "", "data-file-raw": hasFlag(autoclear, AutoclearBit.rawDataFile) }
      : {}),
    corrupt: hasFlag(incompatible, IncompatibleBit.corrupt),
    "extended-l2": header.hasSubclusters,
  };
}

function bitmapInfo({ name, granularity, isInUse, isAuto }: Bitmap): Readonly<Record<string, unknown>> {
  const flags = [...(isInUse ? ["in-use"] : []), ...(isAuto ? ["auto"] : [])];
  return { flags, name, granularity };
}
