/** Every field of a VHD's footer. */

import { type FieldMap, SiteList } from "../field-map.ts";

export const FOOTER_FIELDS: readonly [what: string, at: number, size: 1 | 2 | 4 | 8][] = [
  ["cookie", 0, 8],
  ["features", 8, 4],
  ["version", 12, 4],
  ["data offset", 16, 8],
  ["timestamp", 24, 4],
  ["creator", 28, 4],
  ["creator's version", 32, 4],
  ["creator's host", 36, 4],
  ["size", 40, 8],
  ["size", 48, 8],
  ["cylinders", 56, 2],
  ["heads", 58, 1],
  ["sectors", 59, 1],
  ["disk type", 60, 4],
  ["checksum", 64, 4],
  ["saved state", 84, 1],
];

export function vpcFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (const [what, at, size] of FOOTER_FIELDS) list.add(what, image.length - 512 + at, size);
  return { isLittleEndian: false, entryFlags: 0n, clusterSize: 512, sites: list.sites };
}
