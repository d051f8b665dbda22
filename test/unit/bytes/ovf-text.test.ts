/** What an OVF descriptor says of its disks' files, and texts that say nothing, however long they are. */

import { expect, test } from "vitest";
import { ovfDisks } from "../../../src/bytes/ovf-text.ts";
import { ovfText } from "../../formats/ova/builder.ts";

const disks = (text: string) => ovfDisks(Buffer.from(text));

test("the file of each disk, with what was done to it", () => {
  expect(disks(ovfText("a.vmdk"))).toEqual([
    { href: "a.vmdk", compression: undefined, isChunked: false, format: expect.stringContaining("vmdk") },
  ]);
  expect(disks(ovfText("a.vmdk.gz", 'ovf:compression="gzip" ovf:chunkSize="7"'))).toMatchObject([
    { href: "a.vmdk.gz", compression: "gzip", isChunked: true },
  ]);
});

test("elements by any prefix, attributes in any quotes, characters by name and number", () => {
  expect(
    disks("<o:Envelope><o:File id = 'x' o:href='&quot;a&#32;&#x62;&amp;&none;'/><o:Disk\n fileRef='x'/></o:Envelope>"),
  ).toMatchObject([{ href: '"a b&&none;', format: "" }]);
});

test("what is in comments, in CDATA and in instructions is no element", () => {
  const hidden = '<!-- <Disk fileRef="a"/> --><![CDATA[<Disk fileRef="b"/>]]><?x <Disk fileRef="c"/>?>';
  expect(disks(`<?xml version="1.0"?><!DOCTYPE x><Envelope>${hidden}</Envelope>`)).toEqual([]);
});

test("a disk without a file is none that lies anywhere; one of an unknown file has no name", () => {
  expect(disks('<Envelope><Disk diskId="a"/><Disk fileRef="b"/></Envelope>')).toMatchObject([{ href: undefined }]);
});

test.each(["", "x", "<html/>", "<Disk/><Envelope/>", "<!-- <Envelope/>", "<?xml"])("no descriptor: %j", (text) => {
  expect(disks(text)).toBeUndefined();
});

test.each([
  ["comments that do not end", "<!--"],
  ["tags that do not end", "<a b='"],
  ["spaces", "<a   "],
  ["names", "<aaaa"],
  ["attributes", '<a b="" '],
  ["elements", "<Disk fileRef='a'/>"],
])("a megabyte of %s is read in one pass", (_, piece) => {
  const start = performance.now();
  ovfDisks(Buffer.from(`<Envelope>${piece.repeat(2 ** 20 / piece.length)}`));
  // A pass takes milliseconds, one for each piece would take minutes.
  expect(performance.now() - start).toBeLessThan(5000);
});
