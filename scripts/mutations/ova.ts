/** What is believed of an OVA: where its disk lies, that it has one, and that its manifest agrees. */

import type { Mutation } from "./mutation.ts";

const refused = "test/oracle/corpus.test.ts > refuse/ova/";
const reading = "test/unit/formats/ova/ova.test.ts";
const made = "test/oracle/ova-target.test.ts > from raw";

export const ovaMutations: readonly Mutation[] = [
  {
    name: "the grains of an archive's disk lie where they would if it stood alone",
    file: "formats/ova/shifted.ts",
    find: "shifted[row] = from < 0 ? from : start + from;",
    replace: "shifted[row] = from;",
    tests: [reading],
  },
  {
    name: "what follows an archive's disk may be its last grain's",
    file: "formats/ova/shifted.ts",
    find: "if (end > (isCompressed ?",
    replace: "if (end > 2 ** 50 + (isCompressed ?",
    tests: [`${refused}unsupported--a-disk-that-ends-in-its-last-grain`],
  },
  {
    name: "of an archive's disks the first is taken",
    file: "formats/ova/disk.ts",
    find: "if (other !== undefined) {",
    replace: "if (other !== undefined && disks.length > 99) {",
    tests: [`${refused}unsupported--two-disks`],
  },
  {
    name: "a manifest agrees with whatever is there",
    file: "formats/ova/manifest.ts",
    find: "if (found === line.hex)",
    replace: 'if (found !== "")',
    tests: [reading],
  },
  {
    name: "what is put behind an archive without an end is its next member",
    file: "formats/ova/image.ts",
    find: "...(end === undefined && { grownEnd: fileSize + 2 * SECTOR_SIZE }),",
    replace: "",
    tests: [reading],
  },
  {
    name: "the sum of an archive's header is anything",
    file: "bytes/tar-header.ts",
    find: "if (readNumber(values.sum) !== sumOf(block))",
    replace: "if (readNumber(values.sum) > 2 ** 40)",
    tests: [`${refused}corrupt--a-sum`],
  },
  {
    name: "a stretch of a file ends where the file does",
    file: "storage/slice.ts",
    find: "Math.min(into.length, this.#size - hostOffset)",
    replace: "into.length",
    tests: ["test/unit/storage/slice.test.ts"],
  },
  {
    name: "a tar in a disk's first sector is an archive",
    file: "formats/strangers.ts",
    find: "return isGuests ? found.filter(({ isArchive }) => !isArchive) : found;",
    replace: "return isGuests && found.length > 99 ? [] : found;",
    tests: ["test/unit/formats/vpc/image.test.ts > what a guest has of its own"],
  },
  {
    name: "without a check all of an archive is read",
    file: "convert/inspect/source.ts",
    find: "check: check || !image.checkReadsAll ?",
    replace: "check: check || image.fileSize > 0 ?",
    tests: [reading],
  },
  {
    name: "an item's elements in any order",
    file: "formats/ova/descriptor.ts",
    find: ".sort(([a], [b]) => (a < b ? -1 : 1))",
    replace: "",
    tests: [made],
  },
  {
    name: "a machine's disk is one that its descriptor does not have",
    file: "formats/ova/descriptor.ts",
    find: 'HostResource: "ovf:/disk/vmdisk1"',
    replace: 'HostResource: "ovf:/disk/disk1"',
    tests: [made],
  },
  {
    name: "a machine's disk hangs on what is no controller",
    file: "formats/ova/descriptor.ts",
    find: "Parent: 3 }",
    replace: "Parent: 2 }",
    tests: [made],
  },
];
