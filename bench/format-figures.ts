/** Figures of the other vendors' formats, beside `qemu-img convert` and sync of the same pair, in one run. */

import { execFileSync } from "node:child_process";
import { renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Figure, Row } from "./figure.ts";
import { allocated, byTurns, freshCopy, measureOurs, medianTime, syncFile, watchAllocated } from "./measure.ts";
import { byQemu, sparseRaw } from "./path-figures.ts";
import { inMiB, ratioRow } from "./ratio.ts";

const MiB = 2 ** 20;

interface Pair {
  readonly name: string;
  /** `-f`, and `-o` of qemu-img for making the source; absent: the raw disk. */
  readonly from?: readonly [format: string, options?: string];
  /** To an OVA of ours before the clock starts. */
  readonly isOva?: true;
  readonly to: readonly [format: string, options?: string];
  readonly most: number;
  readonly reach: string;
  /** Part of the data that may be written, where that is bounded. */
  readonly mostWritten?: number;
  /** Bytes of extra disk that may be taken beside tables. */
  readonly mostExtra?: number;
  /** How much longer than qemu-img's file ours may be. */
  readonly mostLonger?: number;
}

const FEW = { most: 1 / 25, reach: "≤ 1/25 of `qemu-img convert` + sync", mostWritten: 0.001 };
const FRONT = { most: 1 / 10, reach: "≤ 1/10 of `qemu-img convert` + sync" };
const ALL = { most: 1.5, reach: "≤ 1.5 of `qemu-img convert` + sync", mostExtra: 16 * MiB };
const STREAM = "subformat=streamOptimized";

const PAIRS: readonly Pair[] = [
  { name: "VMDK → qcow2", from: ["vmdk"], to: ["qcow2"], ...FEW },
  { name: "VHDX → qcow2", from: ["vhdx"], to: ["qcow2"], ...FEW },
  { name: "Parallels → qcow2", from: ["parallels"], to: ["qcow2"], ...FEW },
  { name: "qcow → qcow2", from: ["qcow"], to: ["qcow2"], ...FEW },
  { name: "streamOptimized VMDK → qcow2", from: ["vmdk", STREAM], to: ["qcow2"], ...FEW },
  { name: "OVA → qcow2", from: ["vmdk", STREAM], isOva: true, to: ["qcow2"], ...FEW },
  { name: "raw → VHDX", to: ["vhdx"], ...FRONT },
  { name: "raw → VMDK", to: ["vmdk"], ...FRONT },
  { name: "raw → VDI", to: ["vdi"], ...FRONT },
  { name: "VDI of qemu-img's → qcow2", from: ["vdi"], to: ["qcow2"], ...ALL },
  { name: "raw → dynamic VHD", to: ["vpc", "subformat=dynamic,force_size=on"], ...ALL },
  {
    name: "raw → streamOptimized VMDK",
    to: ["vmdk", STREAM],
    most: 1,
    reach: "≤ 1.0 of `qemu-img convert` + sync",
    mostExtra: 16 * MiB,
    mostLonger: 1.02,
  },
];

function options(given: string | undefined): readonly string[] {
  return given === undefined ? [] : ["-o", given];
}

async function sourceOf(bench: Bench, { from, isOva }: Pair): Promise<string> {
  const raw = sparseRaw(bench);
  if (from === undefined) return raw;
  const path = join(bench.folder, "source");
  execFileSync("qemu-img", ["convert", "-f", "raw", "-O", from[0], ...options(from[1]), raw, path]);
  rmSync(raw);
  if (isOva) await measureOurs(["convert", path, "ova", "--checksum", "none"], bench.folder);
  syncFile(path);
  return path;
}

function pair(each: Pair): Figure {
  return {
    name: each.name.toLowerCase().replace(/ → /, "-to-").replaceAll(/[ ']/g, "-"),
    async run(bench) {
      const { folder, runs } = bench;
      const { dataBytes, sizes } = bench.images();
      const source = await sourceOf(bench, each);
      const [image, target] = [join(folder, "image"), join(folder, "target")];
      const asked = each.from === undefined ? ["-f", "raw", "-S", "0", "--no-compact"] : [];
      const words = ["convert", ...asked, image, each.to[0], ...options(each.to[1]), "--checksum", "none"];
      const ours = async () => {
        freshCopy(source, image);
        return measureOurs(words, folder);
      };
      // qemu-img knows no OVA: it is given the disk that is in it.
      const theirs = each.isOva ? await insideOf(bench, source) : source;
      const convert = ["qemu-img", "convert", "-f", each.from?.[0] ?? "raw", "-O", each.to[0], ...options(each.to[1])];
      const [mine, others] = await byTurns(runs, ours, () => byQemu(folder, target, [...convert, theirs, target]));
      execFileSync("qemu-img", ["compare", "-q", "-F", each.to[0], "-f", each.to[0], image, target]);
      const lengths = [statSync(image).size, statSync(target).size] as const;
      const figure = `${each.name}, ${sizes}`;
      const rows: Row[] = [
        ratioRow(`${figure}, no checksums`, each.most, each.reach, medianTime(mine), medianTime(others)),
      ];
      const written = mine[0]?.report["bytes-written"] ?? Number.NaN;
      if (each.mostWritten !== undefined)
        rows.push({
          figure: `${figure}: bytes written, journal included`,
          reach: `≤ ${100 * each.mostWritten} % of the data`,
          measured: `${inMiB(written)}, ${((100 * written) / dataBytes).toFixed(3)} %`,
          isReached: written <= each.mostWritten * dataBytes,
        });
      if (each.mostExtra !== undefined) {
        freshCopy(source, image);
        const before = allocated(image);
        const [, most] = await watchAllocated([image, `${image}.inplace-journal`], () => measureOurs(words, folder));
        rows.push({
          figure: `${figure}: extra disk while it runs`,
          reach: "≤ 16 MiB and the tables",
          measured: inMiB(most - before),
          isReached: most - before <= each.mostExtra + 2 * MiB,
        });
      }
      if (each.mostLonger !== undefined) {
        const share = lengths[0] / lengths[1];
        rows.push({
          figure: `${figure}: its length`,
          reach: `≤ ${each.mostLonger} of qemu-img's`,
          measured: share.toFixed(4),
          isReached: share <= each.mostLonger,
        });
      }
      for (const path of [source, image, target, join(folder, "inside")]) rmSync(path, { force: true });
      return rows;
    },
  };
}

/** The disk of an archive as a file. */
async function insideOf({ folder }: Bench, archive: string): Promise<string> {
  const names = execFileSync("tar", ["-tf", archive], { encoding: "utf8" }).trim().split("\n");
  const disk = names.find((name) => name.endsWith(".vmdk")) as string;
  execFileSync("tar", ["-xf", archive, "-C", folder, disk]);
  const inside = join(folder, "inside");
  renameSync(join(folder, disk), inside);
  syncFile(inside);
  return inside;
}

export const formatFigures: readonly Figure[] = PAIRS.map(pair);
