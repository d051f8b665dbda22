/** What an image is, as `qemu-img info` tells it; opens a backing file for `infoChain` alone. */

import { isAbsolute } from "node:path";
import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import type {
  OvaSpecificInfo,
  ParallelsSpecificInfo,
  Qcow2SpecificInfo,
  QcowSpecificInfo,
  QedSpecificInfo,
  RawSpecificInfo,
  VdiSpecificInfo,
  VhdxSpecificInfo,
  VmdkSpecificInfo,
  VpcSpecificInfo,
} from "../../formats/details.ts";
import type { BackingFile, Image } from "../../image/source.ts";
import type { SnapshotInfo, SpecificInfo } from "../../image/specific-info.ts";
import { FileVolume } from "../../storage/file/file-volume.ts";
import type { Volume } from "../../storage/storage.ts";
import { OpenedChain, openImageForReading } from "../inspect/opened-chain.ts";
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
  /** The files that hold the image: one, or of a VMDK that is split or flat its extents and its descriptor. */
  readonly children: readonly ChildInfo[];
}

/** A file below an image, as QEMU tells of it (7.2 did not yet). */
export interface ChildInfo {
  /** Its part in the image: `file` for the one that was named, `extents.0` for the one that it names. */
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
export type OvaInfo = CommonInfo & OvaSpecificInfo;
export type ParallelsInfo = CommonInfo & ParallelsSpecificInfo;
export type VdiInfo = CommonInfo & VdiSpecificInfo;
export type VhdxInfo = CommonInfo & VhdxSpecificInfo;
export type VmdkInfo = CommonInfo & VmdkSpecificInfo;
export type VpcInfo = CommonInfo & VpcSpecificInfo;
export type QcowInfo = CommonInfo & QcowSpecificInfo;
export type Qcow2Info = CommonInfo & Qcow2SpecificInfo;

/** Told apart by `format`. */
export type InfoReport =
  | RawInfo
  | QedInfo
  | QcowInfo
  | Qcow2Info
  | ParallelsInfo
  | VdiInfo
  | VhdxInfo
  | VmdkInfo
  | VpcInfo
  | OvaInfo;
type Facts = CommonInfo & SpecificInfo;

/**
 * Reads an image's header and its lists of bitmaps and snapshots. Of the files that it names those alone are looked at that
 * hold its own disk (a VMDK's extents), never a backing file.
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
    return await infoOf(volume, path, image, filesOf(image));
  } finally {
    await image.storage.close();
  }
}

/**
 * The same of an image and of each backing file below it, top first, as `qemu-img info --backing-chain` tells of them. The
 * call is the consent to follow them, within the rules of SECURITY.md.
 *
 * @throws ImageError as `info` does, and `unsupported` for a backing file that must not be followed
 */
export async function infoChain(
  path: string,
  options: OpenOptions = {},
  volume: Volume = new FileVolume(),
): Promise<readonly InfoReport[]> {
  const given = optionsOf("infoChain", path, openRules, options);
  const opened = await OpenedChain.open(volume, path, { ...given, backingChain: true });
  try {
    const [image, ...below] = opened.chain;
    const reports = [await infoOf(volume, path, image, filesOf(image))];
    for (const each of below) {
      // One file, by the name that whoever named it gives, and not by the one that links lead to.
      reports.push(await infoOf(volume, reports.at(-1)?.fullBackingFilename ?? each.storage.path, each, []));
    }
    return reports;
  } finally {
    await opened.close();
  }
}

/** The files that hold the disk. */
function filesOf({ storage }: Image): readonly string[] {
  return (storage.joined?.files ?? [storage]).map((file) => file.path);
}

/** `disks`: the files that hold the disk, where they may be others than the one at `path`. */
async function infoOf(volume: Volume, path: string, image: Image, disks: readonly string[]): Promise<InfoReport> {
  const files: FileBelow[] = [];
  for (const filename of new Set([path, ...disks])) {
    const facts = await volume.facts(await volume.realPath(filename));
    files.push({ filename, size: facts?.size ?? image.fileSize, allocatedSize: facts?.allocatedSize });
  }
  const snapshots = (await image.readSnapshots?.()) ?? [];
  return { ...describeImage(path, image, files), ...(snapshots.length > 0 ? { snapshots } : {}) };
}

/** A file that an image consists of. */
interface FileBelow {
  readonly filename: string;
  readonly size: number;
  /** What it takes on the disk, in bytes, if that is known. */
  readonly allocatedSize: number | undefined;
}

/** `files`: the one that was named, then those that it says hold the disk, where they are others. */
export function describeImage(path: string, image: Image, files: readonly FileBelow[]): InfoReport {
  const { backing, unclean, encryption } = image.getConversionOptions();
  const specific = image.getSpecificInfo();
  const sizes = files.map(({ allocatedSize }) => allocatedSize);
  const actualSize = sizes.includes(undefined)
    ? {}
    : { actualSize: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) };
  const facts: Facts = {
    virtualSize: image.virtualSize,
    filename: path,
    ...specific,
    ...actualSize,
    ...(encryption === undefined ? {} : { encrypted: true as const }),
    ...(backing === undefined ? {} : backingFields(path, backing)),
    // The mark of a corrupt image is no sign of a crash; formats tell it among their own fields.
    dirtyFlag: unclean.length > (isMarkedCorrupt(specific) ? 1 : 0),
    // The last that was opened comes first.
    children: files.map(childInfo).reverse(),
  };
  return facts as InfoReport;
}

/** QEMU calls what a text names its extents. */
function childInfo({ filename, size, allocatedSize }: FileBelow, at: number): ChildInfo {
  return {
    name: at === 0 ? "file" : `extents.${at - 1}`,
    info: {
      children: [],
      virtualSize: alignUp(size, SECTOR_SIZE),
      filename,
      format: "file",
      ...(allocatedSize !== undefined && { actualSize: allocatedSize }),
      formatSpecific: { type: "file", data: {} },
      dirtyFlag: false,
    },
  };
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
