/** What an image is, as `qemu-img info` tells it; never opens a backing file. */

import { isAbsolute } from "node:path";
import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import type { Qcow2SpecificInfo, QedSpecificInfo, RawSpecificInfo, VpcSpecificInfo } from "../../formats/details.ts";
import type { BackingFile, Image } from "../../image/source.ts";
import type { SnapshotInfo, SpecificInfo } from "../../image/specific-info.ts";
import { FileVolume } from "../../storage/file/file-volume.ts";
import type { Volume } from "../../storage/storage.ts";
import { openImageForReading } from "../inspect/opened-chain.ts";
import { openRules, optionsOf } from "../options/option-rules.ts";
import type { OpenOptions } from "../options/options.ts";

/** What is told of every image. In kebab case these are the fields of `qemu-img info --output=json`. */
export interface CommonInfo {
  /** The guest's disk, in bytes. */
  readonly virtualSize: number;
  /** The image's path as it was given. */
  readonly filename: string;
  /** What the file takes on the disk, in bytes, holes not counted; absent where the system doesn't tell. */
  readonly actualSize?: number;
  /** There, and true, only where the guest's data is encrypted. */
  readonly encrypted?: true;
  /** The backing file's name as the header has it; absent without one. */
  readonly backingFilename?: string;
  /** The same seen from where the image was opened from: by text alone, nothing was looked for. */
  readonly fullBackingFilename?: string;
  /** Absent where the header names no format. */
  readonly backingFilenameFormat?: string;
  /** Internal snapshots; absent where there are none. */
  readonly snapshots?: readonly SnapshotInfo[];
  /** The image was not closed cleanly. */
  readonly dirtyFlag: boolean;
  /** The files that hold the image; for the formats of today one. */
  readonly children: readonly ChildInfo[];
}

/** A file below an image, as QEMU tells of it (7.2 did not yet). */
export interface ChildInfo {
  /** Its part in the image; `file` where there is but one. */
  readonly name: string;
  readonly info: {
    /** A file has none. */
    readonly children: readonly [];
    /** The file's length in bytes, up to whole sectors of 512. */
    readonly virtualSize: number;
    /** Its path as it was given. */
    readonly filename: string;
    readonly format: "file";
    /** What it takes on the disk, in bytes; absent where the system doesn't tell. */
    readonly actualSize?: number;
    readonly formatSpecific: { readonly type: "file"; readonly data: Readonly<Record<never, never>> };
    readonly dirtyFlag: false;
  };
}

export type RawInfo = CommonInfo & RawSpecificInfo;
export type QedInfo = CommonInfo & QedSpecificInfo;
export type VpcInfo = CommonInfo & VpcSpecificInfo;
export type Qcow2Info = CommonInfo & Qcow2SpecificInfo;

/** Told apart by `format`. */
export type InfoReport = RawInfo | QedInfo | Qcow2Info | VpcInfo;
type Facts = CommonInfo & SpecificInfo;

/**
 * Reads an image's header, its lists of bitmaps and snapshots, and no other file that it names.
 *
 * @throws ImageError `not-this-format`, `unsupported` or `corrupt` for a file that is no image we can open; `io`
 */
export async function info(
  path: string,
  options: OpenOptions = {},
  volume: Volume = new FileVolume(),
): Promise<InfoReport> {
  const given = optionsOf("info", path, openRules, options);
  const image = await openImageForReading(volume, path, given);
  try {
    const facts = await volume.facts(await volume.realPath(path));
    const snapshots = (await image.readSnapshots?.()) ?? [];
    return { ...describeImage(path, image, facts?.allocatedSize), ...(snapshots.length > 0 ? { snapshots } : {}) };
  } finally {
    await image.storage.close();
  }
}

/** `allocatedSize` is what the file takes on the disk, in bytes, if that is known. */
export function describeImage(path: string, image: Image, allocatedSize: number | undefined): InfoReport {
  const { backing, unclean, encryption } = image.getConversionOptions();
  const specific = image.getSpecificInfo();
  const actualSize = allocatedSize === undefined ? {} : { actualSize: allocatedSize };
  const facts: Facts = {
    virtualSize: image.virtualSize,
    filename: path,
    ...specific,
    ...actualSize,
    ...(encryption === undefined ? {} : { encrypted: true as const }),
    ...(backing === undefined ? {} : backingFields(path, backing)),
    // The mark of a corrupt image is no sign of a crash; formats tell it among their own fields.
    dirtyFlag: unclean.length > (isMarkedCorrupt(specific) ? 1 : 0),
    children: [
      {
        name: "file",
        info: {
          children: [],
          virtualSize: alignUp(image.fileSize, SECTOR_SIZE),
          filename: path,
          format: "file",
          ...actualSize,
          formatSpecific: { type: "file", data: {} },
          dirtyFlag: false,
        },
      },
    ],
  };
  return facts as InfoReport;
}

function isMarkedCorrupt(specific: SpecificInfo): boolean {
  const { data = {} } = specific.formatSpecific ?? {};
  return "corrupt" in data && data.corrupt === true;
}

function backingFields(path: string, { name, format }: BackingFile) {
  const names = { backingFilename: name, fullBackingFilename: fullName(path, name) };
  return format === undefined ? names : { ...names, backingFilenameFormat: format };
}

/** As qemu puts them together: text, no look at the file system. */
function fullName(path: string, name: string): string {
  const hasProtocol = /^[^/]*:/.test(name);
  if (isAbsolute(name) || hasProtocol) return name;
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1) + name;
}
