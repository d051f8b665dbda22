/** Conversions of several steps for the crash suite: raw and fixed VHD in and out, real cycles, compaction. */

import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import { guestBytesOf } from "../formats/guest-contents.ts";
import { buildWithGuest } from "../formats/qcow2/any-image.ts";
import { buildQcow2Image } from "../formats/qcow2/builder.ts";
import { Qcow2Bytes } from "../formats/qcow2/bytes.ts";
import { buildQedImage } from "../formats/qed/builder.ts";
import { buildVpc } from "../formats/vpc/builder.ts";
import { buildDynamic } from "../formats/vpc/dynamic/builder.ts";
import { shuffleInMemory } from "./compaction.ts";
import type { Scenario } from "./crash-scenario.ts";
import { seededRandom } from "./random.ts";

const KIB = 1024;
/** Holes before, between and behind, and blocks of zeros that a raw disk stores like any other. */
const GUEST = { virtualSize: 22 * 4096, data: [0, 1, 5, 9, 17, 21] };
const FULL = { virtualSize: 16 * 4096, data: Array.from({ length: 16 }, (_, at) => at) };
/** Small ones: a state's costs are its bytes. */
const CYCLE_BITS = 10;
const VHD = { subformat: "fixed", force_size: "on" };

type Arrange = (places: readonly number[]) => readonly number[];

/** Of clusters that lie in the places of one another, so that only spares let them pass. */
const CYCLES: Readonly<Record<string, Arrange>> = {
  reversed: (places) => [...places].reverse(),
  "one long cycle": (places) => [...places.slice(1), ...places.slice(0, 1)],
  "shifted by 5": (places) => [...places.slice(5), ...places.slice(0, 5)],
  random: (places) => seededRandom(10).shuffle([...places]),
};

/** 30 clusters of data from guest cluster 5 on, in host clusters 5 to 34. */
function cycle(arrange: Arrange, clusterBits: number): Uint8Array {
  const data = Array.from({ length: 30 }, (_, at) => at + 5);
  return buildWithGuest({ virtualSize: 40 * 2 ** clusterBits, data, clusterBits, arrange }).bytes;
}

function raw(name: string, image: Uint8Array, targetFormat: string, options: ConvertOptions = {}): Scenario {
  return {
    name: `raw to ${name}`,
    image,
    sourceFormat: "raw",
    targetFormat,
    options: { format: "raw", ...options },
  };
}

function of(
  sourceFormat: string,
  name: string,
  image: Uint8Array,
  targetFormat: string,
  options: ConvertOptions = {},
): Scenario {
  return { name: `${sourceFormat} to ${name}`, image: new Uint8Array(image), sourceFormat, targetFormat, options };
}

/** Pieces, tables and snapshots strewn over a file with room for more of them. */
async function strewn(description: Parameters<typeof buildQcow2Image>[0]): Promise<Uint8Array> {
  const { bytes, at } = buildQcow2Image(description);
  const roomy = new Uint8Array(bytes.length + 12 * at.clusterSize);
  roomy.set(bytes);
  const play = { open: Qcow2Image.open, movesAtOnce: 3 };
  return (await shuffleInMemory(roomy, play, seededRandom(4), 6)).bytes;
}

/** Whole clusters, one stored in part, one of zeros and nothing, one with a place for zeros. */
function withSubclusters(): Uint8Array {
  const image = new Qcow2Bytes({ clusterBits: 14, virtualSize: 8 * 16 * KIB, dataClusters: 4, hasSubclusters: true });
  image.set64(image.l2Entry(1) + 8, 0x0000_ff00_00f0_00ffn);
  image.set64(image.l2Entry(3) + 8, 0xffff_ffff_0000_0000n);
  image.set64(image.l2Entry(5) + 8, 0x0000_00ff_0000_0000n);
  return image.bytes;
}

/** An image with a snapshot, of whose data clusters one holds zeros in both, one in the active disk alone. */
function withZeros(): Uint8Array {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12, snapshot: true });
  const zeroed = new Uint8Array(bytes);
  zeroed.fill(0, at.data, at.data + at.clusterSize);
  return zeroed;
}

/** Within next to no space, so that units are brought together: 4 KiB each, of one cluster or of several. */
function gathered(guest: Uint8Array): Scenario[] {
  const most = { maxExtraSpace: 84 * KIB };
  const blocks = (size: string) => ({ options: { subformat: "dynamic", block_size: size }, ...most });
  const odd = buildDynamic({
    ...FULL,
    virtualSize: 24 * 4096,
    data: Array.from({ length: 24 }, (_, at) => at),
    seed: 3,
    gap: 1,
  }).bytes;
  const strewn = buildWithGuest({
    virtualSize: 40 * KIB,
    data: [0, 1, 3, 4, 5, 8, 12, 13, 14, 15, 30, 39],
    clusterBits: 10,
    seed: 9,
  });
  return [
    of("vpc", "qcow2, gathered from a dynamic one", odd, "qcow2", { options: { cluster_size: "4k" }, ...most }),
    raw("vpc, a dynamic one", guest.slice(0, 10 * 4096), "vpc", { options: blocks("4k").options }),
    of("qcow2", "vpc, a dynamic one, blocks of strewn clusters, undo kept", strewn.bytes, "vpc", {
      ...blocks("8k"),
      keepUndo: true,
    }),
  ].map((scenario) => ({ ...scenario, isGathered: true }));
}

export async function pathScenarios(): Promise<Scenario[]> {
  const guest = guestBytesOf(GUEST);
  const odd = guest.slice(0, GUEST.virtualSize - 1300);
  const shuffled = buildQedImage({
    clusterSize: 4096,
    tableSize: 2,
    virtualSize: 20 * 4096,
    data: [0, 1, 2, 3, 5, 7, 9, 10, 11, 19],
    zero: [4],
    seed: 7,
    shuffleTables: true,
    leaks: 2,
  }).bytes;
  return [
    raw("qcow2", guest, "qcow2", { options: { cluster_size: "4k" } }),
    raw("qcow2, full", guestBytesOf(FULL), "qcow2", { options: { cluster_size: "4k" } }),
    raw("qcow2, clusters of one sector", guest.slice(0, 32 * KIB), "qcow2", { options: { cluster_size: "512" } }),
    raw("qcow2, odd length", odd, "qcow2", { options: { cluster_size: "4k" } }),
    raw("qcow2, odd length, not compacted, undo kept", odd, "qcow2", {
      options: { cluster_size: "4k" },
      compact: false,
      keepUndo: true,
    }),
    raw("qcow2, undo kept, journal elsewhere", guest, "qcow2", {
      options: { cluster_size: "4k" },
      keepUndo: true,
      journal: "/vm/elsewhere/journal",
    }),
    raw("qed", guest, "qed", { options: { cluster_size: "4k", table_size: "2" } }),
    ...Object.entries(CYCLES).map(([name, arrange]) => of("qcow2", `raw, ${name}`, cycle(arrange, CYCLE_BITS), "raw")),
    of("qcow2", "raw, one long cycle, one spare", cycle(CYCLES["one long cycle"] as Arrange, CYCLE_BITS), "raw", {
      maxExtraSpace: 64 * KIB,
    }),
    of("qcow2", "raw, reversed, clusters of one sector", cycle(CYCLES.reversed as Arrange, 9), "raw"),
    of("qcow2", "raw, random, undo kept", cycle(CYCLES.random as Arrange, CYCLE_BITS), "raw", { keepUndo: true }),
    of("qcow2", "raw, random, journal elsewhere", cycle(CYCLES.random as Arrange, CYCLE_BITS), "raw", {
      journal: "/vm/elsewhere/journal",
    }),
    of("qcow2", "raw, empty", buildWithGuest({ virtualSize: 9 * 4096, data: [] }).bytes, "raw"),
    of("qed", "raw", shuffled, "raw"),
    of(
      "qcow2",
      "qcow2, compacted",
      buildWithGuest({ virtualSize: 40 * 4096, data: [0, 2, 7, 9], seed: 3, spareClusters: 9 }).bytes,
      "qcow2",
      { compact: true },
    ),
    {
      ...of("qcow2", "qcow2, compacted, a snapshot", await strewn({ clusterBits: 12, snapshot: true }), "qcow2", {
        compact: true,
      }),
      isShared: true,
    },
    of("qcow2", "qcow2, compacted, a bitmap, clusters of one sector", await strewn({ bitmap: true }), "qcow2", {
      compact: true,
    }),
    of("qcow2", "qcow2, subclusters given up", withSubclusters(), "qcow2", { options: { extended_l2: "off" } }),
    {
      ...of("qcow2", "qcow2, zeros given back beside a snapshot, compacted", withZeros(), "qcow2", {
        compact: true,
        sparseSize: 4096,
      }),
      isShared: true,
    },
    of("qed", "vmdk", shuffled, "vmdk"),
    raw("vmdk, odd length", odd, "vmdk"),
    of("qed", "qed, compacted", shuffled, "qed", { compact: true }),
    of("qcow2", "vpc", cycle(CYCLES.random as Arrange, 12), "vpc", { options: VHD }),
    of("qed", "vpc, grown", shuffled, "vpc", { options: { subformat: "fixed", align: "64k" } }),
    of("vpc", "qcow2", buildVpc(GUEST).bytes, "qcow2", { options: { cluster_size: "4k" } }),
    of("vpc", "qed", buildVpc(GUEST).bytes, "qed", { options: { cluster_size: "4k", table_size: "2" } }),
    of("vpc", "raw", buildVpc(GUEST).bytes, "raw"),
    of("vpc", "raw, undo kept", buildVpc(GUEST).bytes, "raw", { keepUndo: true }),
    raw("vpc", guest, "vpc", { options: VHD }),
    raw("vpc, grown", guest, "vpc", { options: { subformat: "fixed", align: "64k" } }),
    raw("vpc, grown from an odd length, undo kept", odd, "vpc", {
      options: { subformat: "fixed", align: "64k" },
      keepUndo: true,
    }),
    of("vpc", "qcow2, from a dynamic one", buildDynamic(GUEST).bytes, "qcow2", { options: { cluster_size: "4k" } }),
    of("vpc", "raw, from a dynamic one", buildDynamic(GUEST).bytes, "raw"),
    of("vpc", "vpc, from a dynamic one", buildDynamic(GUEST).bytes, "vpc", { options: VHD }),
    ...gathered(guest),
  ];
}
