/** Figures of conversions in which units move, and of raw, fixed VHD and compressed images: beside qemu-img, in one run. */

import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Figure, Row } from "./figure.ts";
import {
  allocated,
  byTurns,
  freshCopy,
  type Measured,
  measure,
  measureOurs,
  median,
  medianTime,
  syncFile,
  watchAllocated,
} from "./measure.ts";
import { inMiB, ratioRow, seconds } from "./ratio.ts";
import { shuffleClusters } from "./shuffled-image.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;

/** The disk of the images with data, as raw with holes. */
export function sparseRaw({ folder, images }: Bench): string {
  const path = join(folder, "source.raw");
  execFileSync("qemu-img", ["convert", "-O", "raw", images().paths.get("qcow2") as string, path]);
  syncFile(path);
  return path;
}

/** qemu-img's own way: a copy, and whatever proves it, until it is on the disk. */
export async function byQemu(
  folder: string,
  target: string,
  ...commands: readonly (readonly string[])[]
): Promise<Measured> {
  rmSync(target, { force: true });
  let milliseconds = 0;
  let last: Measured | undefined;
  for (const words of [...commands, ["sync", target]]) {
    last = await measure(words, folder);
    milliseconds += last.milliseconds;
  }
  return { ...(last as Measured), milliseconds };
}

const fromRaw: Figure = {
  name: "raw-to-qcow2",
  async run(bench) {
    const { folder, runs } = bench;
    const source = sparseRaw(bench);
    const { sizes } = bench.images();
    const [image, target] = [join(folder, "image"), join(folder, "target")];
    const ours = (words: readonly string[]) => async () => {
      freshCopy(source, image);
      return measureOurs(["convert", "-f", "raw", image, "qcow2", ...words], folder);
    };
    const convert = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", source, target];
    const compare = ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", source, target];
    const [bare, copied] = await byTurns(runs, ours(["-S", "0", "--no-compact", "--checksum", "none"]), () =>
      byQemu(folder, target, convert),
    );
    const [whole, proven] = await byTurns(runs, ours([]), () => byQemu(folder, target, convert, compare));
    execFileSync("qemu-img", ["check", "-q", "-f", "qcow2", image]);
    for (const path of [source, image, target]) rmSync(path);
    return [
      ratioRow(
        `raw → qcow2, ${sizes}, \`-S 0 --no-compact\`, no checksums`,
        1 / 25,
        "≤ 1/25 of `qemu-img convert` + sync",
        medianTime(bare),
        medianTime(copied),
      ),
      ratioRow(
        `raw → qcow2, ${sizes}, as it is by default: zeros found, digests, check, compacted`,
        0.65,
        "≤ 0.65 of `qemu-img convert` + `compare` + sync",
        medianTime(whole),
        medianTime(proven),
      ),
    ];
  },
};

/** 4 GiB without a hole, as qemu-img lays them out (each cluster shifted), or with the clusters in no order. */
function toRaw(order: "shifted" | "random"): Figure {
  return {
    name: `qcow2-to-raw-${order}`,
    async run({ folder, runs, images }) {
      const { dataBytes } = images();
      const [source, image, target] = [join(folder, "dense.qcow2"), join(folder, "image"), join(folder, "target")];
      makeDense(source, dataBytes);
      if (order === "random") shuffleClusters(source);
      syncFile(source);
      const ours = async () => {
        freshCopy(source, image);
        return measureOurs(["convert", image, "raw", "--checksum", "none"], folder);
      };
      const theirs = () => byQemu(folder, target, ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", source, target]);
      const [mine, others] = await byTurns(runs, ours, theirs);
      execFileSync("cmp", [image, target]);
      freshCopy(source, image);
      const [{ report }, most] = await watchAllocated([image, `${image}.inplace-journal`], () =>
        measureOurs(["convert", image, "raw", "--checksum", "none"], folder),
      );
      const extra = most - Math.max(allocated(source), dataBytes);
      for (const path of [source, image, target]) rmSync(path);
      const name = `qcow2 → raw, ${Math.round(dataBytes / MiB)} MiB, each cluster misplaced (${order})`;
      return [
        ratioRow(
          `${name}, no checksums`,
          1,
          "≤ 1.0 of `qemu-img convert` + sync",
          medianTime(mine),
          medianTime(others),
        ),
        {
          figure: `${name}: extra disk, where a copy takes 100 %`,
          reach: "≤ 16 MiB and the tables",
          measured: `${inMiB(extra)}, ${report.syncs} syncs`,
          isReached: extra <= 18 * MiB,
        },
      ];
    },
  };
}

const toVhd: Figure = {
  name: "raw-to-vpc",
  async run(bench) {
    const { folder, runs } = bench;
    const source = sparseRaw(bench);
    const image = join(folder, "image");
    const mine: (Measured & { readonly report: { readonly "bytes-written": number } })[] = [];
    for (let run = 0; run < runs; run++) {
      freshCopy(source, image);
      const words = ["convert", "-f", "raw", image, "vpc", "-o", "subformat=fixed", "--checksum", "none"];
      mine.push(await measureOurs(words, folder));
    }
    for (const path of [source, image]) rmSync(path);
    const written = mine[0]?.report["bytes-written"] ?? 0;
    return [
      {
        figure: "raw → fixed VHD, no checksums",
        reach: "≤ 0.3 s",
        measured: seconds(medianTime(mine)),
        isReached: medianTime(mine) <= 300,
      },
      {
        figure: "raw → fixed VHD: bytes written beyond growth, journal included",
        reach: "≤ 4 KiB",
        measured: `${written} bytes`,
        isReached: written <= 4096,
      },
    ];
  },
};

const compacted: Figure = {
  name: "compact",
  async run({ folder, runs, images }) {
    const { dataBytes } = images();
    const [source, image, target] = [join(folder, "free.qcow2"), join(folder, "image"), join(folder, "target")];
    makeDense(source, dataBytes);
    // Every other 8 MiB given back, but not to the file system.
    const discards: string[] = [];
    for (let at = 0; at < dataBytes; at += 16 * MiB) discards.push("-c", `discard ${at} 8M`);
    execFileSync("qemu-io", ["-f", "qcow2", ...discards, source], { stdio: "ignore" });
    syncFile(source);
    const ours = async () => {
      freshCopy(source, image);
      return measureOurs(["compact", image, "--checksum", "none"], folder);
    };
    const theirs = () => byQemu(folder, target, ["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", source, target]);
    const [mine, others] = await byTurns(runs, ours, theirs);
    execFileSync("qemu-img", ["check", "-q", "-f", "qcow2", image]);
    const [longer, shorter] = [statSync(source).size, statSync(image).size];
    const moved = mine[0]?.report["bytes-moved"] ?? 0;
    for (const path of [source, image, target]) rmSync(path);
    return [
      ratioRow(
        "compact, 50 % free clusters",
        0.5,
        "≤ 0.5 of `qemu-img convert` + sync",
        medianTime(mine),
        medianTime(others),
      ),
      {
        figure: "compact: bytes moved",
        reach: "≤ what lay past the new end",
        measured: `${inMiB(moved)}, of ${inMiB(longer - shorter)} past it`,
        isReached: moved <= longer - shorter,
      },
    ];
  },
};

const hole: Figure = {
  name: "raw-hole",
  async run({ folder, runs }) {
    const [raw, other] = [join(folder, "hole.raw"), join(folder, "hole2.raw")];
    for (const path of [raw, other]) {
      const file = openSync(path, "w");
      writeSync(file, Buffer.alloc(MiB, 7), 0, MiB, 0);
      ftruncateSync(file, 32 * GiB);
      closeSync(file);
    }
    const rows: Row[] = [];
    const theirs = () => measure(["qemu-img", "compare", "-f", "raw", "-F", "raw", raw, other], folder);
    for (const words of [
      ["checksum", "-f", "raw", raw],
      ["map", "-f", "raw", raw],
      ["compare", "-f", "raw", "-F", "raw", raw, other],
    ]) {
      const [mine, others] = await byTurns(runs, () => ourTime(words, folder), theirs);
      const name = `\`${words[0]}\` of a raw with a hole of 32 GiB`;
      rows.push(ratioRow(name, 2, "≤ 2 × `qemu-img compare`", median(mine), medianTime(others)));
    }
    for (const path of [raw, other]) rmSync(path);
    return rows;
  },
};

async function ourTime(words: readonly string[], folder: string): Promise<number> {
  const command = join(import.meta.dirname, "../dist/cli.mjs");
  return (await measure([process.execPath, command, ...words], folder)).milliseconds;
}

const huge: Figure = {
  name: "raw-huge",
  async run({ folder }) {
    const image = join(folder, "huge.raw");
    const file = openSync(image, "w");
    ftruncateSync(file, TiB);
    // One byte makes a block: what is allocated counts, not what is in it.
    const extents = 25_600;
    const byte = Buffer.of(1);
    for (let index = 0; index < extents; index++) writeSync(file, byte, 0, 1, Math.floor((index * TiB) / extents));
    closeSync(file);
    syncFile(image);
    const words = ["convert", "-f", "raw", image, "qcow2", "--checksum", "none", "-S", "0", "--no-compact"];
    const { peakMemory = 0, milliseconds } = await measureOurs(words, folder);
    rmSync(image);
    return [
      {
        figure: `raw of 1 TiB in ${extents} extents → qcow2: memory`,
        reach: "≤ 160 MiB resident",
        measured: `${peakMemory > 0 ? inMiB(peakMemory) : "not measured: GNU time is missing"}, ${seconds(milliseconds)}`,
        isReached: peakMemory <= 160 * MiB,
      },
    ];
  },
};

/** Compressed in place and by qemu-img: what programs and their documents are made of, as a disk image holds it. */
function compressed(type: "zlib" | "zstd", most: number): Figure {
  return {
    name: `compress-${type}`,
    async run({ folder, runs, images }) {
      const dataBytes = images().dataBytes / 4;
      const [source, image, target] = [join(folder, "plain.qcow2"), join(folder, "image"), join(folder, "target")];
      makeOfPrograms(source, dataBytes);
      const option = `compression_type=${type}`;
      const words = ["convert", image, "qcow2", "-c", "-o", option, "--checksum", "none"];
      const ours = async () => {
        freshCopy(source, image);
        return measureOurs(words, folder);
      };
      const convert = ["qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", "-o", option, source, target];
      const [mine, others] = await byTurns(runs, ours, () => byQemu(folder, target, convert));
      execFileSync("qemu-img", ["compare", "-q", image, target]);
      execFileSync("qemu-img", ["check", "-q", "-f", "qcow2", image]);
      const share = statSync(image).size / statSync(target).size;
      freshCopy(source, image);
      const before = allocated(image);
      const [, peak] = await watchAllocated([image, `${image}.inplace-journal`], () => measureOurs(words, folder));
      for (const path of [source, image, target]) rmSync(path);
      const name = `\`-c\`, ${type}, ${Math.round(dataBytes / MiB)} MiB of programs`;
      const reach = `≤ ${most} of \`qemu-img convert -c\` + sync`;
      return [
        ratioRow(`${name}, no checksums`, most, reach, medianTime(mine), medianTime(others)),
        {
          figure: `${name}: its length`,
          reach: "≤ 1.03 of qemu-img's",
          measured: share.toFixed(4),
          isReached: share <= 1.03,
        },
        {
          figure: `${name}: extra disk while it runs`,
          reach: "≤ 16 MiB and the tables",
          measured: inMiB(Math.max(0, peak - before)),
          isReached: peak - before <= 18 * MiB,
        },
      ];
    },
  };
}

/** A qcow2 that holds the first `dataBytes` of an archive of this machine's programs, as qemu-img makes it. */
function makeOfPrograms(path: string, dataBytes: number): void {
  const raw = `${path}.raw`;
  execFileSync("bash", ["-c", 'tar -cf - -C / usr 2>/dev/null | head -c "$1" > "$2"', "bash", `${dataBytes}`, raw]);
  execFileSync("truncate", ["-s", `${dataBytes}`, raw]);
  execFileSync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, path]);
  rmSync(raw);
  syncFile(path);
}

/** A qcow2 of `dataBytes` without a hole, as qemu-img makes it. */
function makeDense(path: string, dataBytes: number): void {
  const raw = `${path}.raw`;
  const block = Buffer.allocUnsafe(2 * MiB).fill(0x5a);
  const file = openSync(raw, "w");
  for (let at = 0; at < dataBytes; at += block.length) {
    for (let stamp = 0; stamp < block.length; stamp += 4096) block.writeDoubleLE(at + stamp + 1, stamp);
    writeSync(file, block, 0, block.length, at);
  }
  closeSync(file);
  execFileSync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, path]);
  rmSync(raw);
}

export const pathFigures: readonly Figure[] = [
  fromRaw,
  toRaw("shifted"),
  toRaw("random"),
  toVhd,
  compacted,
  compressed("zlib", 0.6),
  compressed("zstd", 1.2),
  hole,
  huge,
];
