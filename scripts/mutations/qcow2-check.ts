/** Defects in the check of a qcow2: in what is passed over at once, and in what the first walk leaves to the others. */

import type { Mutation } from "./mutation.ts";

const unit = (name: string) => `test/unit/formats/qcow2/${name}.test.ts`;
const telling = "test/property/telling-check.property.test.ts";

export const qcow2CheckMutations: readonly Mutation[] = [
  {
    name: "eight entries follow each other whatever they say",
    file: "formats/qcow2/tables/l2-table-scan.ts",
    find: "return differences === 0;",
    replace: "return true;",
    tests: [unit("tables/l2-table-scan")],
  },
  {
    name: "eight entries are blank whatever they say",
    file: "formats/qcow2/tables/l2-table-scan.ts",
    find: "return bits === 0;",
    replace: "return bits !== 1;",
    tests: [unit("tables/l2-table-scan")],
  },
  {
    name: "refcounts agree though something is amiss",
    file: "formats/qcow2/tables/refcount-agreement.ts",
    find: "cluster < end && amiss[byte] === 0;",
    replace: "cluster < end;",
    tests: [unit("tables/refcount-agreement")],
  },
  {
    name: "refcounts of 1 agree though something is amiss",
    file: "formats/qcow2/tables/refcount-agreement.ts",
    find: "Buffer.compare(amiss.subarray(from, from + size), NO_BITS.subarray(0, size)) === 0",
    replace: "size > 0",
    tests: [unit("tables/refcount-agreement")],
  },
  {
    name: "a cluster that counts twice counts one",
    file: "formats/qcow2/tables/reference-counts.ts",
    find: " && !repeatsIn(page, from, to)",
    replace: "",
    tests: [unit("tables/reference-counts")],
  },
  {
    name: "what is wrong in a table is not told",
    file: "formats/qcow2/tables/l2-tally.ts",
    find: "this.#tally.suspectTables.add(Math.floor(this.#visit.hostOffset / this.#geometry.clusterSize));",
    replace: "",
    tests: [unit("check-lines"), telling],
  },
  {
    name: "a table reaches no further than it did at first",
    file: "formats/qcow2/tables/table-reach.ts",
    find: "if (end > knownEnd) ",
    replace: "if (knownEnd === 0) ",
    tests: [unit("tables/table-reach")],
  },
  {
    name: "tables that reach wrong flags are not looked at",
    file: "formats/qcow2/check/copied-flags.ts",
    find: "nextOf(wrong, reach.first) < reach.end",
    replace: "nextOf(wrong, reach.first) < 0",
    tests: [unit("check-lines"), telling],
  },
  {
    name: "references beyond what a refcount says are told by the counts of the end",
    file: "formats/qcow2/check/detailed-check.ts",
    find: "!tally.hasOverflow && ",
    replace: "",
    tests: [telling],
  },
  {
    name: "tables that lie askew are told of by the counts of the quick walk",
    file: "formats/qcow2/check/detailed-check.ts",
    find: "tally.askewTables === 0 && ",
    replace: "",
    tests: [telling],
  },
  {
    name: "a cut refcount table is trusted where only marks are found",
    file: "formats/qcow2/repair/repair.ts",
    find: "if (!(await readStructure(source)).isTrusted) return false;",
    replace: "",
    tests: [unit("repair/repair")],
  },
  {
    name: "leaks are left where marks are found",
    file: "formats/qcow2/check/check.ts",
    find: "return corruptions + leaks + checkErrors === 0 && ",
    replace: "return corruptions + checkErrors === 0 && ",
    tests: [unit("repair/repair")],
  },
  {
    name: "suspect entries are looked for in the first half of a run",
    file: "formats/qcow2/repair/table-look.ts",
    find: "this.#search(index + half, hostOffset + half * this.#geometry.clusterSize, count - half, isCopied);",
    replace: "",
    tests: [unit("repair/table-look")],
  },
];
