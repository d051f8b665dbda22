/** Defects in how a stream's units come to lie one behind another inside a qcow2. */

import type { Mutation } from "./mutation.ts";

const unit = "test/unit/formats/qcow2/pack/pack.test.ts";
const cuts = "test/crash/pack.test.ts";
const lives = "test/property/pack.property.test.ts";
const oracle = "test/oracle/stream-vmdk-target.test.ts";

export const packMutations: readonly Mutation[] = [
  {
    name: "a stream is kept, however long it is",
    file: "formats/qcow2/pack/packer.ts",
    find: "const isTooLong = wrappedLength(prepared, this.#parts.wishes.form) > this.#mostWrapped;",
    replace: "const isTooLong = false;",
    tests: [cuts],
  },
  {
    name: "an OVA's first grain begins inside a block that is written when it lives",
    file: "formats/ova/target.ts",
    find: "const MEDIUM_BLOCK = 4 * KiB;",
    replace: "const MEDIUM_BLOCK = KiB / 2;",
    tests: [lives],
  },
  {
    name: "counts fall before the pointers go",
    file: "formats/qcow2/encode/counted-batches.ts",
    find: "(this.#left.get(cluster) ?? 0);",
    replace: "(this.#left.get(cluster) ?? 0) - (batch.left().get(cluster) ?? 0);",
    tests: [lives],
  },
  {
    name: "units come to lie on what waits there",
    file: "formats/qcow2/pack/packer.ts",
    find: "return Math.max(this.#at, units.nextWaiting(first, end) * this.unitSize);",
    replace: "return Math.max(this.#at, end * this.unitSize);",
    tests: [cuts],
  },
  {
    name: "a stream ends before its last sector",
    file: "formats/qcow2/pack/wrapping.ts",
    find: "const blocks = Math.max(0, Math.ceil(lacking / EMPTY_BLOCK.length));",
    replace: "const blocks = 0;",
    tests: [unit],
  },
  {
    name: "a batch ends inside a block",
    file: "formats/qcow2/pack/packer.ts",
    find: "last.length = alignUp(at, BLOCK) - last.at;",
    replace: "last.length = at - last.at;",
    tests: ["test/crash/pack.test.ts > each batch ends with a whole block"],
  },
  {
    name: "a place is written while something else still waits there",
    file: "formats/qcow2/pack/packer.ts",
    find: "if (cluster * this.unitSize >= this.#at && units.isLeft(cluster)) evictions.give(cluster);",
    replace: "evictions.give(cluster);",
    tests: [cuts],
  },
  {
    name: "what is moved is read where it lay before",
    file: "formats/qcow2/pack/packer.ts",
    find: "units.move(row, stream.to, stream.isPlain ? 0 : stream.bytes.length);",
    replace: "units.move(row, stream.from, stream.isPlain ? 0 : stream.bytes.length);",
    tests: [cuts],
  },
  {
    name: "a plain cluster that moved may be shared",
    file: "formats/qcow2/rearrange/entry-words.ts",
    find: 'kind: "data", hostOffset, copied: true',
    replace: 'kind: "data", hostOffset, copied: false',
    tests: [cuts],
  },
  {
    name: "a stream keeps what lay behind it",
    file: "formats/vmdk/sparse/settle.ts",
    find: "const cut: Epoch[] = end < fileSize ?",
    replace: "const cut: Epoch[] = end < 0 ?",
    tests: [oracle],
  },
  {
    name: "a stream's tables are another's",
    file: "formats/vmdk/sparse/settle.ts",
    find: " || Buffer.compare(footer, headerSector(values)) !== 0",
    replace: "",
    tests: ["test/unit/formats/vmdk/stream-target.test.ts"],
  },
  {
    name: "a stream's grains may lie anywhere",
    file: "formats/vmdk/sparse/stream-target.ts",
    find: " || hostOffset !== unitsEnd + leadInLength",
    replace: "",
    tests: ["test/unit/formats/vmdk/stream-target.test.ts"],
  },
  {
    name: "what was written over is not given back elsewhere",
    file: "formats/qcow2/pack/eviction-places.ts",
    find: "if (this.#debt <= allowed) return undefined;",
    replace: "if (this.#debt >= 0) return undefined;",
    tests: [unit],
  },
];
