/** Defects in what moves inside a qcow2: counts, words and streams that must go along, and what may not. */

import type { Mutation } from "./mutation.ts";
import { pointerWords, qcow2Rearranged, qcow2Rearranger } from "./suspects.ts";

const folder = "formats/qcow2/rearrange";

export const qcow2MoveMutations: readonly Mutation[] = [
  {
    name: "a refcount block that moves is copied without the counts of the same epoch",
    file: `${folder}/live-counts.ts`,
    find: "      if (index === undefined) continue;",
    replace: "      if (index !== 0.5) continue;",
    tests: [qcow2Rearranger, qcow2Rearranged],
  },
  {
    name: "a word of a table that moves is written at its old place alone",
    file: `${folder}/repointing.ts`,
    find: "    if (change.twinHostOffset !== undefined) written.push({ hostOffset: change.twinHostOffset, bytes });",
    replace: "",
    tests: [qcow2Rearranger, qcow2Rearranged],
  },
  {
    name: "a word is re-pointed whatever it pointed at",
    file: `${folder}/repointing.ts`,
    find: "  if (isMarked !== isCompressed || found < from || found >= end) throw changed(storage, change, from);",
    replace: "",
    tests: [qcow2Rearranger],
  },
  {
    name: "the count of a place that was left and taken again is lowered",
    file: `${folder}/rearranger.ts`,
    find: "        const isFree = !this.used.has(cluster) && this.#counts.hasBlockFor(cluster);",
    replace: "        const isFree = this.#counts.hasBlockFor(cluster);",
    tests: [qcow2Rearranger],
  },
  {
    name: "of the words that point at one place only two are re-pointed",
    file: `${folder}/pointer-words.ts`,
    find: "    this.#further[at + 2] = this.#second[piece] as number;",
    replace: "    this.#further[at + 2] = 0;",
    tests: [pointerWords],
  },
  {
    name: "a stream that lies across two clusters is torn apart",
    file: `${folder}/piece-collector.ts`,
    find: "    if (compressed.pageIndexes().length > 0) await eachL2Table(this.#source, (table) => this.#joinStreams(table));",
    replace: "",
    tests: [qcow2Rearranger],
  },
  {
    name: "a refcount block that counts the last cluster is given up",
    file: `${folder}/tidying.ts`,
    find: "      if (index * counts.perBlock >= endWithout) given.push(index);",
    replace: "      if ((index + 1) * counts.perBlock >= endWithout) given.push(index);",
    tests: [qcow2Rearranger],
  },
  {
    name: "a new refcount block does not count itself",
    file: `${folder}/new-blocks.ts`,
    find: "    setRefcount(new DataView(bytes.buffer), 0, place.refcountBits, 1);",
    replace: "",
    tests: [qcow2Rearranger],
  },
  {
    name: "clusters are moved that LUKS encrypts by their places",
    file: `${folder}/refusals.ts`,
    find: `  if (header.encryption === "luks") {`,
    replace: `  if (header.encryption !== header.encryption) {`,
    tests: [qcow2Rearranger],
  },
];
