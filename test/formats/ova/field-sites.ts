/** Every header of an OVA's archive, and the fields and table entries of the disk in it. */

import { type FieldMap, SiteList } from "../field-map.ts";
import { sparseFieldSites } from "../vmdk/sparse/field-sites.ts";

const HEADER: readonly [what: string, hostOffset: number, size: 1 | 2 | 4 | 8][] = [
  ["name", 0, 4],
  ["size", 124, 4],
  ["size's end", 132, 4],
  ["sum", 148, 4],
  ["type", 156, 1],
  ["magic", 257, 4],
  ["prefix", 345, 2],
];

export function ovaFieldSites(image: Buffer): FieldMap {
  const list = new SiteList(image.length);
  for (let at = 0; at < image.length; at += 512) {
    if (image.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    for (const [what, field, size] of HEADER) list.add(`archive's ${what}`, at + field, size);
  }
  const diskAt = image.indexOf("KDMV");
  const length = Number.parseInt(image.toString("latin1", diskAt - 512 + 124, diskAt - 512 + 135), 8);
  const { sites, ...rest } = sparseFieldSites(image.subarray(diskAt, diskAt + length));
  for (const { what, hostOffset, size } of [...sites.values()].flat()) list.add(what, diskAt + hostOffset, size);
  return { ...rest, sites: list.sites };
}
