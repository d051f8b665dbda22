/** What an image is, as `qemu-img info` tells it; never opens a backing file. */

import { isAbsolute } from "node:path";
import type { BackingFile, Image } from "../image/driver.ts";
import { FileVolume } from "../storage/file.ts";
import type { Volume } from "../storage/storage.ts";
import { openImageForReading } from "./opened-guest.ts";
import type { OpenOptions } from "./report.ts";

export interface InfoReport {
  /** The fields of `qemu-img info --output=json`. */
  readonly json: Readonly<Record<string, unknown>>;
  /** What `qemu-img info` prints for people. */
  readonly text: string;
}

/**
 * Reads an image's header and nothing that it names.
 *
 * @throws ImageError `not-this-format`, `unsupported` or `corrupt` for a file that is no image we can open; `io`
 */
export async function info(
  path: string,
  options: OpenOptions = {},
  volume: Volume = new FileVolume(),
): Promise<InfoReport> {
  const image = await openImageForReading(volume, path, options);
  try {
    const facts = await volume.facts(await volume.realPath(path));
    return describeImage(path, image, facts?.allocatedSize);
  } finally {
    await image.storage.close();
  }
}

/** `allocatedSize` is what the file takes on the disk, in bytes, if that is known. */
export function describeImage(path: string, image: Image, allocatedSize: number | undefined): InfoReport {
  const { backing, unclean, encryption } = image.getConversionOptions();
  const specific = image.getSpecificInfo();
  const hasSpecific = Object.keys(specific).length > 0;
  // The mark of a corrupt image is no sign of a crash; formats tell it among their own fields.
  const isDirty = unclean.length > (specific.corrupt === true ? 1 : 0);
  const hasClusters = image.format !== "raw";
  const json = {
    "virtual-size": image.virtualSize,
    filename: path,
    ...(hasClusters ? { "cluster-size": image.clusterSize } : {}),
    format: image.format,
    ...(allocatedSize === undefined ? {} : { "actual-size": allocatedSize }),
    ...(encryption === undefined ? {} : { encrypted: true }),
    ...(backing === undefined ? {} : backingFields(path, backing)),
    ...(hasSpecific ? { "format-specific": { type: image.format, data: specific } } : {}),
    "dirty-flag": isDirty,
  };
  const lines = [
    `image: ${oneLine(path)}`,
    `file format: ${image.format}`,
    `virtual size: ${sizeText(image.virtualSize)} (${image.virtualSize} bytes)`,
    `disk size: ${allocatedSize === undefined ? "unavailable" : sizeText(allocatedSize)}`,
    ...(encryption === undefined ? [] : ["encrypted: yes"]),
    ...(hasClusters ? [`cluster_size: ${image.clusterSize}`] : []),
    ...(isDirty ? ["cleanly shut down: no"] : []),
    ...(backing === undefined ? [] : backingLines(path, backing)),
    ...(hasSpecific ? ["Format specific information:", ...fieldLines(specific, "    ")] : []),
  ];
  return { json, text: lines.join("\n") };
}

function backingFields(path: string, backing: BackingFile): Record<string, string> {
  return {
    "backing-filename": backing.name,
    "full-backing-filename": fullName(path, backing.name),
    ...(backing.format === undefined ? {} : { "backing-filename-format": backing.format }),
  };
}

function backingLines(path: string, backing: BackingFile): string[] {
  const full = fullName(path, backing.name);
  const actual = full === backing.name ? "" : ` (actual path: ${full})`;
  const format = backing.format === undefined ? [] : [`backing file format: ${backing.format}`];
  return [oneLine(`backing file: ${backing.name}${actual}`), ...format.map(oneLine)];
}

/** As qemu puts them together: text, no look at the file system. */
function fullName(path: string, name: string): string {
  const hasProtocol = /^[^/]*:/.test(name);
  if (isAbsolute(name) || hasProtocol) return name;
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1) + name;
}

function fieldLines(fields: Readonly<Record<string, unknown>> | readonly unknown[], indent: string): string[] {
  const isList = Array.isArray(fields);
  return Object.entries(fields).flatMap(([key, value]) => {
    const name = isList ? `[${key}]` : key.replaceAll("-", " ");
    if (typeof value !== "object" || value === null) return [oneLine(`${indent}${name}: ${value}`)];
    return [`${indent}${name}:`, ...fieldLines(value as Record<string, unknown>, `${indent}    `)];
  });
}

/** Names come from the image: none of them makes a line of its own. */
function oneLine(text: string): string {
  return text.replaceAll("\n", "\\n");
}

const SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** qemu-img's own: three digits, and the next unit from 1,000 on, so that 1,000 KiB are `0.977 MiB`. */
function sizeText(bytes: number): string {
  let unit = 0;
  while (bytes / 1024 ** unit >= 1000) unit++;
  return `${Number((bytes / 1024 ** unit).toPrecision(3))} ${SUFFIXES[unit]}B`;
}
