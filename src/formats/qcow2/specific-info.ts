/** What `qemu-img info` says of a qcow2 image beyond the common lines, in its order. */

import { hasFlag } from "../../bytes/struct.ts";
import type { LuksDetails, Qcow2BitmapInfo, Qcow2Details, Qcow2SpecificInfo } from "./details.ts";
import { AutoclearBit, CompatibleBit, IncompatibleBit, type Qcow2Header } from "./header/header.ts";
import type { Bitmap } from "./tables/bitmap-directory.ts";

export function specificInfo(
  header: Qcow2Header,
  bitmaps: readonly Bitmap[],
  luks: LuksDetails | undefined,
): Qcow2SpecificInfo {
  const { clusterSize } = header;
  return { format: "qcow2", clusterSize, formatSpecific: { type: "qcow2", data: detailsOf(header, bitmaps, luks) } };
}

function detailsOf(header: Qcow2Header, bitmaps: readonly Bitmap[], luks: LuksDetails | undefined): Qcow2Details {
  const { incompatible, compatible, autoclear, extensions, refcountBits, compression } = header;
  const encrypt = header.encryption === undefined ? {} : { encrypt: luks ?? { format: header.encryption } };
  if (header.version === 2) return { compat: "0.10", compressionType: compression, refcountBits, ...encrypt };
  return {
    compat: "1.1",
    compressionType: compression,
    lazyRefcounts: hasFlag(compatible, CompatibleBit.lazyRefcounts),
    ...(bitmaps.length === 0 ? {} : { bitmaps: bitmaps.map(bitmapInfo) }),
    refcountBits,
    ...encrypt,
    ...(header.hasDataFile
      ? { dataFile: extensions.dataFileName ?? "", dataFileRaw: hasFlag(autoclear, AutoclearBit.rawDataFile) }
      : {}),
    corrupt: hasFlag(incompatible, IncompatibleBit.corrupt),
    extendedL2: header.hasSubclusters,
  };
}

function bitmapInfo({ name, granularity, isInUse, isAuto }: Bitmap): Qcow2BitmapInfo {
  const flags = [...(isInUse ? (["in-use"] as const) : []), ...(isAuto ? (["auto"] as const) : [])];
  return { flags, name, granularity };
}
