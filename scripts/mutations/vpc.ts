/** What is believed of a VHD's footer, and what is written there. */

import type { Mutation } from "./mutation.ts";

const reading = "test/unit/formats/vpc/image.test.ts";
const writing = "test/unit/formats/vpc/target.test.ts";
const dynamic = "test/unit/formats/vpc/dynamic.test.ts";
const used = "test/oracle/vpc-dynamic.test.ts";

export const vpcMutations: readonly Mutation[] = [
  {
    name: "a VHD's current size is taken from any creator",
    file: "formats/vpc/size.ts",
    find: "if (isSizeCertain(footer)) return currentSize;",
    replace: "if (isSizeCertain(footer) || chosen === undefined) return currentSize;",
    tests: [reading],
  },
  {
    name: "what lies between a VHD's two sizes is looked at from its start alone",
    file: "formats/vpc/size.ts",
    find: "const last = await readZeroFilled(storage, lastStart, end - lastStart);",
    replace: "const last = new Uint8Array(0);",
    tests: [reading],
  },
  {
    name: "a VHD's disk may end behind its footer",
    file: "formats/vpc/disk.ts",
    find: "if (virtualSize > hostOffset) {",
    replace: "if (virtualSize > fileSize) {",
    tests: [reading],
  },
  {
    name: "a footer at the start is passed over",
    file: "formats/vpc/disk.ts",
    find: "await refuseSecondFooter(main, hostOffset, refuse);",
    replace: "",
    tests: [reading],
  },
  {
    name: "bytes between a VHD's disk and its footer are nobody's",
    file: "formats/vpc/image.ts",
    find: "return RangeSet.of({ start: this.#disk.virtualSize, end: this.#disk.fileSize });",
    replace: "return RangeSet.of({ start: this.#disk.fileSize - FOOTER_SIZE, end: this.#disk.fileSize });",
    tests: [reading],
  },
  {
    name: "an image's mark at a VHD's start is its guest's own",
    file: "formats/strangers.ts",
    find: 'mark.hostOffset === 0 && advice === "qemu-img"',
    replace: 'mark.hostOffset === 0 && advice === "medium"',
    tests: [reading],
  },
  {
    name: "a footer of before is written behind any disk",
    file: "formats/vpc/rules.ts",
    find: "return virtualSize === said.currentSize || virtualSize === sizeOf(said);",
    replace: "return said.diskType === DiskType.fixed;",
    tests: [writing],
  },
  {
    name: "a footer is put into a file that goes on behind it",
    file: "formats/vpc/target.ts",
    find: "if (oldFileSize > virtualSize) {",
    replace: "if (oldFileSize < 0) {",
    tests: [writing],
  },
  {
    name: "a VHD with bytes before its footer is converted, and comes back without them",
    file: "formats/vpc/image.ts",
    find: "...(isTight ? [] : [loose(virtualSize, fileSize)])",
    replace: "",
    tests: [reading],
  },
  {
    name: "the two footers of a dynamic VHD may disagree",
    file: "formats/vpc/found-footer.ts",
    find: "if (twin) refuseDifference(chosen.sector, twin.sector, refuse);",
    replace: "",
    tests: [dynamic],
  },
  {
    name: "what hides under a sector bitmap's zeros is looked at in its first run alone",
    file: "formats/vpc/dynamic/bitmaps.ts",
    find: "    first = end;",
    replace: "    first = sectorCount;",
    tests: [dynamic],
  },
  {
    name: "a block may end behind a dynamic VHD's footer",
    file: "formats/vpc/dynamic/block-scan.ts",
    find: "if (hostOffset + blockSize > dataEnd) {",
    replace: "if (hostOffset > dataEnd) {",
    tests: [dynamic],
  },
  {
    name: "two blocks of a dynamic VHD may share a place",
    file: "formats/vpc/dynamic/block-scan.ts",
    find: "} else if (already > 0) {",
    replace: "} else if (already < 0) {",
    tests: [dynamic],
  },
  {
    name: "new tables lie where QEMU puts a dynamic VHD's next block",
    file: "formats/vpc/dynamic/image.ts",
    find: "return fileSize + freeCount * (bitmapSize + blockSize);",
    replace: "return fileSize;",
    tests: [dynamic, used],
  },
  {
    name: "a dynamic VHD that is cut behind its new blocks has no footer",
    file: "convert/recovery/resume.ts",
    find: "if (footer) await putFooter(storage, end, footer);",
    replace: "",
    tests: [used],
  },
  {
    name: "a format's mark at the start is passed over where its other kind has the guest's bytes there",
    file: "formats/strangers.ts",
    find: 'guestAt === "start" && !marks.some((mark) => mark.hostOffset === 0 && ends.bears(mark))',
    replace: 'guestAt === "start"',
    tests: [dynamic],
  },
  {
    name: "a dynamic VHD's target stays behind all that the source could grow to",
    file: "convert/conversion/wish.ts",
    find: "const isFar = options.grownEnd !== undefined && !settings.keepUndo;",
    replace: "const isFar = false;",
    tests: [used],
  },
  {
    name: "a repair takes the whole block around a header, data of a dynamic VHD's first block too",
    file: "check/repair-plan.ts",
    find: "if (hostOffset >= 0 && hostOffset < end) end = alignDown(hostOffset, SECTOR_SIZE);",
    replace: "",
    tests: ["test/unit/formats/vpc/footer-repair.test.ts"],
  },
];
