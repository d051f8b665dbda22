/** What `info` found, in the words that `qemu-img info` prints for people. */

import type { SnapshotInfo } from "../../image/specific-info.ts";
import type { ChildInfo, InfoReport } from "./info.ts";
import { type Json, kebabKeys } from "./kebab-keys.ts";

/** Without a line break at its end. */
export function infoText(info: InfoReport): string {
  const { filename, format, virtualSize, actualSize, children } = info;
  return [
    `image: ${oneLine(filename)}`,
    `file format: ${format}`,
    `virtual size: ${lengthText(virtualSize)}`,
    `disk size: ${diskSize(actualSize)}`,
    ...(info.encrypted ? ["encrypted: yes"] : []),
    ...("clusterSize" in info ? [`cluster_size: ${info.clusterSize}`] : []),
    ...(info.dirtyFlag ? ["cleanly shut down: no"] : []),
    ...backingLines(info),
    ...snapshotLines(info.snapshots),
    ...("formatSpecific" in info
      ? ["Format specific information:", ...fieldLines(kebabKeys(info.formatSpecific.data), "    ")]
      : []),
    ...children.flatMap(childLines),
  ].join("\n");
}

function snapshotLines(snapshots: readonly SnapshotInfo[] = []): string[] {
  if (snapshots.length === 0) return [];
  const row = (id: string, tag: string, size: string, date: string, clock: string, icount: string): string =>
    oneLine(
      `${id.padEnd(7)} ${tag.padEnd(16)} ${size.padStart(8)} ${date.padStart(19)} ${clock.padStart(15)} ${icount.padStart(10)}`,
    );
  return [
    "Snapshot list:",
    row("ID", "TAG", "VM_SIZE", "DATE", "VM_CLOCK", "ICOUNT"),
    ...snapshots.map(({ id, name, vmStateSize, dateSec, vmClockSec, vmClockNsec, icount }) =>
      row(id, name, sizeText(vmStateSize), localTime(dateSec), clockText(vmClockSec, vmClockNsec), `${icount ?? "--"}`),
    ),
  ];
}

/** As a clock on the wall here shows it. */
function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => `${value}`.padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

function clockText(seconds: number, nanoseconds: number): string {
  const digits = (value: number, count: number) => `${Math.floor(value)}`.padStart(count, "0");
  const clock = [digits(seconds / 3600, 4), digits((seconds / 60) % 60, 2), digits(seconds % 60, 2)].join(":");
  return `${clock}.${digits(nanoseconds / 1_000_000, 3)}`;
}

function childLines({ name, info: { filename, format, virtualSize, actualSize } }: ChildInfo): string[] {
  return [
    `Child node '/${name}':`,
    `    filename: ${oneLine(filename)}`,
    `    protocol type: ${format}`,
    `    file length: ${lengthText(virtualSize)}`,
    `    disk size: ${diskSize(actualSize)}`,
  ];
}

function backingLines({ backingFilename, fullBackingFilename, backingFilenameFormat }: InfoReport): string[] {
  if (backingFilename === undefined) return [];
  const actual = fullBackingFilename === backingFilename ? "" : ` (actual path: ${fullBackingFilename})`;
  const format = backingFilenameFormat === undefined ? [] : [`backing file format: ${backingFilenameFormat}`];
  return [oneLine(`backing file: ${backingFilename}${actual}`), ...format.map(oneLine)];
}

/** Keys as in the JSON, but with spaces. */
function fieldLines(fields: Json, indent: string): string[] {
  const isList = Array.isArray(fields);
  return Object.entries(fields ?? {}).flatMap(([key, value]: [string, Json]) => {
    const name = isList ? `[${key}]` : key.replaceAll("-", " ");
    if (typeof value !== "object" || value === null) return [oneLine(`${indent}${name}: ${value}`)];
    return [`${indent}${name}:`, ...fieldLines(value, `${indent}    `)];
  });
}

/** Names come from the image: none of them makes a line of its own. */
function oneLine(text: string): string {
  return text.replaceAll("\n", "\\n");
}

function lengthText(bytes: number): string {
  return `${sizeText(bytes)} (${bytes} bytes)`;
}

function diskSize(bytes: number | undefined): string {
  return bytes === undefined ? "unavailable" : sizeText(bytes);
}

const SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** qemu-img's own: three digits, and the next unit from 1,000 on, so that 1,000 KiB are `0.977 MiB`. */
function sizeText(bytes: number): string {
  let unit = 0;
  while (bytes / 1024 ** unit >= 1000) unit++;
  return `${threeDigits(bytes / 1024 ** unit)} ${SUFFIXES[unit]}B`;
}

/** What lies in the middle goes to the even digit, as in C: 1.625 is 1.62. */
function threeDigits(value: number): number {
  const exact = String(value);
  // In the middle of two numbers of three digits lie multiples of an eighth alone.
  const isMiddle = Number.isInteger(value * 8) && exact.replace(".", "").length === 4;
  return isMiddle && /[02468]\.?5$/.test(exact) ? Number(exact.slice(0, -1)) : Number(value.toPrecision(3));
}
