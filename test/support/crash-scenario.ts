/** Conversions in memory for the crash suite: small images (at most 1 MiB), recorded operation by operation. */

import { deflateRawSync } from "node:zlib";
import { convert } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import type { Host } from "../../src/convert/session/host.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import type { Volume } from "../../src/storage/storage.ts";
import type { ProcessTable } from "../../src/storage/users/process-table.ts";
import { BLOCK_SIZE } from "../formats/guest-contents.ts";
import { fewOf, optionsOf, type Pair, smallPairs } from "../formats/kits.ts";
import { buildQcow2Image, type Qcow2ImageDescription } from "../formats/qcow2/builder.ts";
import { buildQedImage, type QedImageDescription } from "../formats/qed/builder.ts";
import { buildSparse, type SparseDescription } from "../formats/vmdk/sparse/builder.ts";
import { type OperationLog, RecordingVolume } from "./recording-volume.ts";

export const IMAGE_PATH = "/vm/disk.img";

/** One conversion of one image. */
export interface Scenario {
  readonly name: string;
  readonly image: Uint8Array;
  readonly sourceFormat: string;
  readonly targetFormat: string;
  readonly options: ConvertOptions;
  /** Clusters that a snapshot holds too. */
  readonly isShared?: boolean;
  /** Units are brought together on the way, in the format for that. */
  readonly isGathered?: boolean;
}

let nextPid = 1;

/** A fresh process on a machine of its own memory: every earlier one is dead. */
export function testHost(volume: Volume): Host {
  const pid = nextPid++;
  const processes: ProcessTable = {
    self: { pid, hostName: "test", bootId: "boot", startTime: "0" },
    isAlive: (owner) => owner.pid === pid,
  };
  return { volume, processes, now: () => 0 };
}

/** Runs the scenario undisturbed; its log holds every change in order. */
export async function recordScenario(scenario: Scenario): Promise<{ log: OperationLog; final: Uint8Array }> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: scenario.image });
  await convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(volume));
  return { log: volume.log, final: volume.memory.snapshot(IMAGE_PATH) };
}

/** An image of another format, made by our own undisturbed conversion; the oracle suite vouches for those. */
async function converted(image: Uint8Array, targetFormat: string, options: ConvertOptions): Promise<Uint8Array> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, targetFormat, options, testHost(volume));
  return volume.snapshot(IMAGE_PATH);
}

/** A qcow2 made byte by byte, its file cut short by `missing` bytes. */
function bytewise(
  name: string,
  description: Qcow2ImageDescription,
  targetFormat: string,
  options: ConvertOptions = {},
  missing = 0,
): Scenario {
  const { bytes } = buildQcow2Image(description);
  const image = new Uint8Array(bytes.subarray(0, bytes.length - missing));
  return { name, image, sourceFormat: "qcow2", targetFormat, options };
}

/** So small that every state of every cut can be tried. */
const TINY: QedImageDescription = { clusterSize: 4096, tableSize: 2, virtualSize: 3 * 4096, data: [0, 2] };
const SPARSE: QedImageDescription = {
  clusterSize: 4096,
  tableSize: 2,
  virtualSize: 40 * 4096,
  data: [0, 1, 5, 9, 17, 39],
  zero: [3, 20],
};
const SHUFFLED: QedImageDescription = { ...SPARSE, seed: 7, shuffleTables: true, leaks: 3 };
const COMPRESSED_TAIL = deflateRawSync(Buffer.alloc(4096, "tail of the disk "));
const LONG_NAME = `${"long-folder-name/".repeat(27)}base.img`;

const AS_THEY_LIE: SparseDescription = {
  virtualSize: 12 * 4096,
  data: [0, 1, 5, 9, 11],
  zero: [3],
  entryCount: 4,
  phase: 3,
  isRedundant: true,
  missing: 700,
};

/** One way between two formats, on the image that the kit builds of these contents. */
export function kitScenario({ from, to }: Pair): Scenario {
  return {
    name: `${from.name} to ${to.name}, its kit's image`,
    image: from.build({ virtualSize: 10 * BLOCK_SIZE - 512, data: [0, 2, 9], zero: [4] }),
    sourceFormat: from.name,
    targetFormat: to.name,
    options: { options: optionsOf({ from, to }) },
  };
}

/** Every way between two formats once, so that a new format's are among the crash suite's. */
const betweenKits: readonly Scenario[] = smallPairs.map(kitScenario);

/** The scenarios of the suite, smallest first. All digests are taken, so every verification runs. */
export async function crashScenarios(): Promise<Scenario[]> {
  const qed = (
    name: string,
    description: QedImageDescription,
    targetFormat: string,
    options: ConvertOptions = {},
  ): Scenario => ({
    name,
    image: buildQedImage(description).bytes,
    sourceFormat: "qed",
    targetFormat,
    options,
  });
  const qcow2 = async (
    name: string,
    description: QedImageDescription,
    made: Record<string, string>,
    targetFormat: string,
    options: ConvertOptions = {},
  ): Promise<Scenario> => ({
    name,
    image: await converted(buildQedImage(description).bytes, "qcow2", { options: made }),
    sourceFormat: "qcow2",
    targetFormat,
    options,
  });
  return [
    qed("qed to qcow2, tiny", TINY, "qcow2"),
    await qcow2("qcow2 to qed, tiny", TINY, {}, "qed"),
    qed("qed to qcow2", SPARSE, "qcow2"),
    await qcow2("qcow2 to qed", SPARSE, {}, "qed"),
    qed("qed to qcow2, shuffled, leaks", SHUFFLED, "qcow2"),
    qed("qed to qcow2, undo kept", SPARSE, "qcow2", { keepUndo: true }),
    qed(
      "qed to qcow2, long backing name in the header cluster",
      { ...SPARSE, backingName: LONG_NAME, backingNameAt: 1024 },
      "qcow2",
    ),
    qed(
      "qed to qcow2, backing name moved out of sector 0",
      { ...SPARSE, backingName: LONG_NAME.slice(-440), staleHeaderByte: 0xcc },
      "qcow2",
    ),
    qed("qed to qcow2, larger clusters, units moved", SHUFFLED, "qcow2", { options: { cluster_size: "16k" } }),
    qed("qed to qcow2, clusters of one sector", SPARSE, "qcow2", { options: { cluster_size: "512" } }),
    qed("qed to qcow2, journal elsewhere", SPARSE, "qcow2", { journal: "/vm/elsewhere/journal" }),
    qed("qed to qed, other tables", SHUFFLED, "qed", { options: { table_size: "4" } }),
    await qcow2(
      "qcow2 to qed, free clusters to fill",
      { ...SHUFFLED, data: Array.from({ length: 20 }, (_, at) => at * 2) },
      {},
      "qed",
    ),
    await qcow2("qcow2 to qed, clusters of one sector", SPARSE, { cluster_size: "512" }, "qed"),
    await qcow2("qcow2 to qed, leaks kept", SHUFFLED, {}, "qed", { keepLeaks: true }),
    await qcow2("qcow2 to qcow2, other refcounts", SPARSE, {}, "qcow2", { options: { refcount_bits: "1" } }),
    bytewise("qcow2 to qed, ends inside its last cluster", { clusterBits: 12 }, "qed", {}, 1500),
    bytewise(
      "qcow2 to qed, ends inside its last cluster, undo kept",
      { clusterBits: 12 },
      "qed",
      { keepUndo: true },
      3000,
    ),
    bytewise(
      "qcow2 to qcow2, smaller clusters, ends inside its last cluster",
      { clusterBits: 12 },
      "qcow2",
      { options: { cluster_size: "512" } },
      3000,
    ),
    bytewise(
      "qcow2 to qcow2, larger clusters, a compressed tail",
      { clusterBits: 12, compressed: COMPRESSED_TAIL },
      "qcow2",
      { options: { cluster_size: "16k" } },
      4096 - COMPRESSED_TAIL.length,
    ),
    bytewise("qcow2 to qed, snapshot dropped", { clusterBits: 12, snapshot: true }, "qed", { drop: ["snapshots"] }),
    bytewise("qcow2 to qed, bitmap dropped", { clusterBits: 12, bitmap: true }, "qed", { drop: ["bitmaps"] }),
    bytewise(
      "qcow2 to qed over a backing file",
      { clusterBits: 12, backingName: "base.img", backingFormat: "raw" },
      "qed",
    ),
    bytewise(
      "qcow2 to qcow2 over a backing file, journal elsewhere, other refcounts",
      { clusterBits: 12, backingName: "base.qcow2", backingFormat: "qcow2" },
      "qcow2",
      { options: { refcount_bits: "8" }, journal: "/vm/elsewhere/journal" },
    ),
    ...["qcow2", "qed"].map((targetFormat) => ({
      name: `vmdk to ${targetFormat}, grains as they lie, some at odd sectors, ends inside its last`,
      image: new Uint8Array(buildSparse(AS_THEY_LIE).bytes),
      sourceFormat: "vmdk",
      targetFormat,
      options: {},
    })),
    ...betweenKits,
  ];
}

/** Without the images of other kits than QED's and qcow2's, for suites that take many whole conversions of each; all with PAIRS=all. */
export async function fewScenarios(): Promise<Scenario[]> {
  const others = new Set(
    smallPairs.filter((pair) => !fewOf(smallPairs).includes(pair)).map((pair) => kitScenario(pair).name),
  );
  return (await crashScenarios()).filter(({ name }) => !others.has(name));
}
