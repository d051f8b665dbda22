/** Defects in how a qcow2's clusters come to be compressed where they lie. */

import type { Mutation } from "./mutation.ts";

const encoder = "test/unit/formats/qcow2/encode/encoder.test.ts";
const places = "test/unit/formats/qcow2/encode/stream-places.test.ts";
const whole = "test/unit/convert/compress.test.ts";
const cuts = "test/crash/compress.test.ts";

export const encodeMutations: readonly Mutation[] = [
  {
    name: "a rearrangement that failed leaves its journal's file open",
    file: "convert/rearrange/rearrange-step.ts",
    find: "  await journal?.close().catch(() => {});",
    replace: "",
    tests: ["test/unit/convert/left-open.test.ts"],
  },
  {
    name: "a cluster that is stored in part becomes a stream of all of it",
    file: "formats/qcow2/encode/plain-clusters.ts",
    find: "const count = hasSubclusters ? Math.floor(clusters) : Math.ceil(clusters);",
    replace: "const count = Math.ceil(clusters);",
    tests: ["test/unit/formats/qcow2/encode/encoder.test.ts"],
  },
  {
    name: "a stream keeps the subclusters of the cluster that it was",
    file: "formats/qcow2/rearrange/entry-words.ts",
    find: "if (hasParts) for (const half of [8, 12]) view.setUint32(at + half, 0);",
    replace: "",
    tests: ["test/unit/formats/qcow2/encode/encoder.test.ts"],
  },
  {
    name: "a cluster of zeros is given up without another look",
    file: "convert/rearrange/empty-units.ts",
    find: "for (const { start, end } of ranges.each()) await refuseData(session, reader, start, end);",
    replace: "",
    tests: ["test/unit/convert/zeros-in-place.test.ts"],
  },
  {
    name: "a shortened disk's last cluster is given up with what a snapshot has behind its end",
    file: "formats/qcow2/rearrange/emptying.ts",
    find: "diskSize === undefined || diskSize > virtualSize",
    replace: "diskSize === undefined",
    tests: ["test/oracle/zeros-in-place.test.ts"],
  },
  {
    name: "what zeros were counted for stays counted",
    file: "convert/rearrange/empty-units.ts",
    find: "({ journal } = await mendCounts({ ...step, image: emptied }, journal));",
    replace: "emptied.getConversionOptions();",
    tests: ["test/unit/convert/zeros-in-place.test.ts"],
  },
  {
    name: "a stream that gives other bytes is pointed at",
    file: "convert/rearrange/encode.ts",
    find: "if (Buffer.compare(found, isRewrapped || isInflated ? await inflated(old) : old) === 0) return;",
    replace: "if (found.length > 0 && old.length > 0) return;",
    tests: [whole],
  },
  {
    name: "a cluster that is counted twice is compressed",
    file: "formats/qcow2/encode/encoder.ts",
    find: "(await batches.counts.get(from / this.unitSize)) !== 1",
    replace: "from < 0",
    tests: [encoder],
  },
  {
    name: "streams beside others take their counts away",
    file: "formats/qcow2/encode/counted-batches.ts",
    find: "const isFresh = more > 0 && !holding.has(cluster);",
    replace: "const isFresh = more > 0;",
    tests: [encoder],
  },
  {
    name: "places are free before nothing points at them",
    file: "formats/qcow2/encode/encoder.ts",
    find: "if (batch.streams.length < maxUnits && this.#add(batch, stream)) continue;",
    replace:
      "this.#parts.places.give(from / this.unitSize); if (batch.streams.length < maxUnits && this.#add(batch, stream)) continue;",
    tests: [encoder, "test/property/qcow2-encoder.property.test.ts"],
  },
  {
    name: "streams of two batches share a block",
    file: "formats/qcow2/encode/stream-places.ts",
    find: "return alignUp(at, Math.min(BLOCK, this.#clusterSize));",
    replace: "return at;",
    tests: [places],
  },
  {
    name: "an entry with the zero flag is taken for data",
    file: "formats/qcow2/rearrange/entry-words.ts",
    find: `return entry.kind === "data" && entry.hostOffset === from`,
    replace: "return entry.hostOffset === from",
    tests: [encoder],
  },
  {
    name: "what a cut has left counted too high stays so",
    file: "formats/qcow2/encode/overcounts.ts",
    find: "if (excess > 0) yield [cluster, excess];",
    replace: "if (excess > count * 2 ** 16) yield [cluster, excess];",
    tests: [cuts],
  },
  {
    name: "a leak of before that nothing can lower fails what is done",
    file: "convert/conversion/last-look.ts",
    find: "const mayLeak = leavesLeaks(image.format) || (check?.leaks ?? 0) <= before.leaks;",
    replace: "const mayLeak = before.leaks < 0;",
    tests: [whole],
  },
  {
    name: "streams of one method stand in an image of another",
    file: "convert/switch/switch-planning.ts",
    find: "asked !== has && !mayInflate",
    replace: "asked === has && !mayInflate",
    tests: [whole],
  },
];
