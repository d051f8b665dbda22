/** What `qemu-img info` says of a qcow2 image beyond the common lines, in its order. */

import { hasFlag } from "../../bytes/struct.ts";
import { AutoclearBit, CompatibleBit, IncompatibleBit, type Qcow2Header } from "./header/header.ts";
import type { Bitmap } from "./tables/bitmap-directory.ts";

export interface Qcow2SpecificInfo {
  readonly format: "qcow2";
  /** Bytes. */
  readonly clusterSize: number;
  readonly formatSpecific: { readonly type: "qcow2"; readonly data: Qcow2Details };
}

/** In qemu-img's order. Version 2 (`compat` 0.10) has only the first, `refcountBits` and `encrypt`. */
export interface Qcow2Details {
  readonly compat: "0.10" | "1.1";
  readonly compressionType: "zlib" | "zstd";
  readonly lazyRefcounts?: boolean;
  /** Absent where the image has none that are valid. */
  readonly bitmaps?: readonly Qcow2BitmapInfo[];
  /** Width of a refcount: 1, 2, 4, ..., 64. */
  readonly refcountBits: number;
  readonly encrypt?: { readonly format: "aes" | "luks" };
  /** The name of the external data file as stored, empty where none is stored; absent for an image that has its data itself. */
  readonly dataFile?: string;
  readonly dataFileRaw?: boolean;
  /** The mark that a program leaves which found the image corrupt. */
  readonly corrupt?: boolean;
  readonly extendedL2?: boolean;
}

/** A persistent dirty bitmap. */
export interface Qcow2BitmapInfo {
  /** `in-use`: not put away, its bits mean nothing; `auto`: records writes by itself. */
  readonly flags: readonly ("in-use" | "auto")[];
  readonly name: string;
  /** Bytes of guest that one bit stands for. */
  readonly granularity: number;
}

export function specificInfo(header: Qcow2Header, bitmaps: readonly Bitmap[]): Qcow2SpecificInfo {
  const { clusterSize } = header;
  return { format: "qcow2", clusterSize, formatSpecific: { type: "qcow2", data: detailsOf(header, bitmaps) } };
}

function detailsOf(header: Qcow2Header, bitmaps: readonly Bitmap[]): Qcow2Details {
  const { incompatible, compatible, autoclear, extensions, refcountBits, compression } = header;
  const encrypt = header.encryption === undefined ? {} : { encrypt: { format: header.encryption } };
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
