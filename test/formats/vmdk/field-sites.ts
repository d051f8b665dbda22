/** Every letter of a descriptor that says something: what is text may lie letter by letter. */

import { type FieldMap, SiteList } from "../field-map.ts";
import { TEXT_LENGTH } from "./joined.ts";

const WORDS: readonly (readonly [what: string, form: RegExp])[] = [
  ["mark", /^# Disk/],
  ["version", /(?<=version=)\d+/],
  ["CID", /(?<=\nCID=)\w+/],
  ["parentCID", /(?<=parentCID=)\w+/],
  ["create type", /(?<=createType=)"\w+"/],
  ["access", /(?<=\n)RW/],
  ["sectors", /(?<=RW )\d+/],
  ["type", /FLAT/],
  ["file name", /"disk-flat.vmdk"/],
  ["offset", /(?<=" )0(?=\n)/],
  ["key", /ddb.adapterType/],
  ["line break", /\n(?=RW)/],
  ["padding", /\0{4}/],
];

export function vmdkFieldSites(image: Buffer): FieldMap {
  const text = image.toString("latin1", 0, TEXT_LENGTH);
  const list = new SiteList(image.length);
  for (const [what, form] of WORDS) {
    const found = form.exec(text);
    for (let at = 0; at < (found?.[0].length ?? 0); at++) list.add(what, (found?.index ?? 0) + at, 1);
  }
  return { isLittleEndian: true, entryFlags: 0n, clusterSize: 512, sites: list.sites };
}
