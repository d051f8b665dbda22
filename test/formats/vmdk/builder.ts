/** Flat VMDKs for the tests, made by nothing of `src/`: a descriptor's lines, and the disk that it names. */

import { type GuestContents, guestBytesOf } from "../guest-contents.ts";

export interface DescriptorWords {
  readonly version?: string;
  readonly cid?: string;
  readonly parentCid?: string;
  readonly createType?: string;
  readonly extents?: readonly string[];
  readonly more?: readonly string[];
  readonly lineEnd?: string;
}

export function buildDescriptor({
  version = "1",
  cid = "99e73cb8",
  parentCid = "ffffffff",
  createType = "monolithicFlat",
  extents = [],
  more = [],
  lineEnd = "\n",
}: DescriptorWords): Buffer {
  const lines = [
    "# Disk DescriptorFile",
    `version=${version}`,
    `CID=${cid}`,
    `parentCID=${parentCid}`,
    `createType="${createType}"`,
    "",
    "# Extent description",
    ...extents,
    "",
    "# The Disk Data Base",
    "#DDB",
    "",
    'ddb.virtualHWVersion = "4"',
    'ddb.geometry.cylinders = "1"',
    'ddb.geometry.heads = "16"',
    'ddb.geometry.sectors = "63"',
    'ddb.adapterType = "ide"',
    ...more,
    "",
  ];
  return Buffer.from(lines.join(lineEnd), "utf8");
}

export function flatExtent(fileName: string, sectors: number): string {
  return `RW ${sectors} FLAT "${fileName}" 0`;
}

export function sparseExtent(fileName: string, sectors: number): string {
  return `RW ${sectors} SPARSE "${fileName}"`;
}

export interface BuiltFlat {
  readonly text: Buffer;
  readonly disk: Uint8Array;
}

export function buildFlat(contents: GuestContents, fileName: string, words: DescriptorWords = {}): BuiltFlat {
  const disk = guestBytesOf(contents);
  return { text: buildDescriptor({ extents: [flatExtent(fileName, disk.length / 512)], ...words }), disk };
}
