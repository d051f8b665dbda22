/** Each figure: what is measured, against what, and how far it is to reach. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actionFigures } from "./action-figures.ts";
import { checkFigure } from "./check-figures.ts";
import { damagedFigures } from "./damaged-figures.ts";
import { downloadFigure } from "./download.ts";
import type { Figure, Row } from "./figure.ts";
import { formatFigures } from "./format-figures.ts";
import { type BenchFormat, type BenchPair, figureName, formats, pairs } from "./formats.ts";
import {
  allocated,
  byTurns,
  command,
  freshCopy,
  type Measured,
  measure,
  measureOurs,
  median,
  medianTime,
  type OurReport,
  syncFile,
  traceOurs,
  watchAllocated,
} from "./measure.ts";
import { pathFigures } from "./path-figures.ts";
import { inMiB, ratioRow, seconds } from "./ratio.ts";
import { packed, spreadOver } from "./sparse-images.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;

const percent = (share: number): string => `${(100 * share).toFixed(3)} %`;

/** Time of a conversion in place against `qemu-img convert`, and what it wrote. */
function conversion({ from, to }: BenchPair): Figure {
  return {
    name: `${from.name}-to-${to.name}`,
    async run({ folder, runs, images }) {
      const { dataBytes, sizes, paths } = images();
      const source = paths.get(from.name) as string;
      const [image, target] = [join(folder, "image"), join(folder, "target")];
      const ours = async () => {
        freshCopy(source, image);
        return measureOurs(["convert", image, to.name, "--checksum", "none"], folder);
      };
      const theirs = () => convertByQemu(source, from, target, to, folder);
      const [mine, others] = await byTurns(runs, ours, theirs);
      const { report } = mine[0] as { report: OurReport };
      freshCopy(source, image);
      const traced = traceOurs(["convert", image, to.name, "--checksum", "none"], folder);
      await assertClean(image, to, folder);
      rmSync(image);
      rmSync(target);
      const share = report["bytes-written"] / dataBytes;
      const name = `${from.name} → ${to.name}${to.note}, ${sizes}`;
      return [
        ratioRow(
          `${name}, no checksums`,
          1 / 35,
          "≤ 1/35 of `qemu-img convert` + sync",
          medianTime(mine),
          medianTime(others),
        ),
        {
          figure: `${name}: bytes written, journal included`,
          reach: `≤ ${percent(to.mostWritten).replace("00 ", " ")} of the data`,
          measured: `${inMiB(report["bytes-written"])}, ${percent(share)}; strace counts ${traced ? inMiB(traced.bytesWritten) : "nothing, it is missing"}`,
          isReached:
            share <= to.mostWritten && (traced === undefined || traced.bytesWritten === report["bytes-written"]),
        },
        {
          figure: `${name}: syncs, settling included`,
          reach: to.mostSyncs === undefined ? "counted" : `≤ ${to.mostSyncs} a switch`,
          measured: `${report.syncs}; strace counts ${traced?.syncs ?? "nothing, it is missing"}`,
          isReached:
            report.syncs <= (to.mostSyncs ?? report.syncs) && (traced === undefined || traced.syncs === report.syncs),
        },
      ];
    },
  };
}

/** Disk taken at the most, as the file system shows it while the command runs and as the report says. */
function peak({ from, to }: BenchPair): Figure {
  return {
    name: figureName("peak", { from, to }),
    async run({ folder, images }) {
      const source = images().paths.get(from.name) as string;
      const image = freshCopy(source, join(folder, "image"));
      const before = allocated(image);
      const files = [image, `${image}.inplace-journal`];
      const words = ["convert", image, to.name, "--checksum", "none"];
      const [{ report }, most] = await watchAllocated(files, () => measureOurs(words, folder));
      const [written, foretold, taken] = [report["bytes-written"], report["peak-extra-bytes"], most - before];
      rmSync(image);
      return [
        {
          figure: `${from.name} → ${to.name}: peak extra disk`,
          reach: "≤ bytes written + 1 MiB",
          measured: `${inMiB(taken)} on the disk, ${inMiB(foretold)} foretold; ${inMiB(written)} written`,
          isReached: Math.max(taken, foretold) <= written + MiB,
        },
      ];
    },
  };
}

/** Everything proven, against everything that proves qemu-img's work. */
function proven({ from, to }: BenchPair): Figure {
  return {
    name: figureName("proven", { from, to }),
    async run({ folder, runs, images }) {
      const { sizes, paths } = images();
      const source = paths.get(from.name) as string;
      const [image, target] = [join(folder, "image"), join(folder, "target")];
      const ours = async () => {
        freshCopy(source, image);
        return measureOurs(["convert", image, to.name], folder);
      };
      const theirs = async () => {
        const converted = await convertByQemu(source, from, target, to, folder);
        const compared = await measure(["qemu-img", "compare", "-f", from.name, "-F", to.name, source, target], folder);
        return { ...converted, milliseconds: converted.milliseconds + compared.milliseconds };
      };
      const [mine, others] = await byTurns(runs, ours, theirs);
      rmSync(image);
      rmSync(target);
      const name = `${from.name} → ${to.name}, ${sizes}, with both full checksums and the check`;
      const reach = "≤ 0.35 of `qemu-img convert` + `compare` + sync";
      return [ratioRow(name, 0.35, reach, medianTime(mine), medianTime(others))];
    },
  };
}

/** A disk of 1 TiB whose tables are real. */
function huge({ from, to }: BenchPair, layout: "spread" | "packed"): Figure {
  return {
    name: `${figureName("huge", { from, to })}-${layout}`,
    async run({ folder, runs }) {
      const [source, image] = [join(folder, "huge"), join(folder, "image")];
      const stretches = layout === "spread" ? spreadOver(TiB, 100 * GiB) : packed(100 * GiB);
      from.writeSparse(source, TiB, stretches);
      syncFile(source);
      await assertClean(source, from, folder);
      const mine: (Measured & { report: OurReport })[] = [];
      const starts: number[] = [];
      for (let run = 0; run < runs; run++) {
        freshCopy(source, image);
        starts.push(
          (await measure([process.execPath, join(import.meta.dirname, "../dist/cli.mjs"), "--version"], folder))
            .milliseconds,
        );
        mine.push(await measureOurs(["convert", image, to.name, "--checksum", "none"], folder));
      }
      await assertClean(image, to, folder);
      rmSync(source);
      rmSync(image);
      const beyond = medianTime(mine) - median(starts);
      const memory = Math.max(...mine.map(({ peakMemory }) => peakMemory ?? 0));
      const name = `${from.name} → ${to.name}, 1 TiB virtual, 100 GiB allocated, ${layout === "spread" ? "spread over the disk" : "at its start"}, no checksums`;
      return [
        {
          figure: `${name}: time`,
          reach: "≤ 1 s beyond process start",
          measured: `${seconds(beyond)} beyond ${seconds(median(starts))}`,
          isReached: beyond <= 1000,
        },
        {
          figure: `${name}: memory`,
          reach: "≤ 128 MiB resident",
          measured: memory > 0 ? inMiB(memory) : "not measured: GNU time is missing",
          isReached: memory <= 128 * MiB,
        },
      ];
    },
  };
}

const digest: Figure = {
  name: "checksum",
  async run({ folder, runs, images }) {
    const { paths, dataBytes, sizes } = images();
    const qcow2 = paths.get("qcow2") as string;
    const ours = () => measureOurs(["checksum", qcow2], folder);
    const theirs = async () => ({ milliseconds: hashOnOneThread(qcow2, dataBytes) });
    const [mine, others] = await byTurns(runs, ours, theirs);
    const name = `\`checksum\` of a qcow2, ${sizes}`;
    const reach = "≤ 0.75 of node's sha256 over the same bytes on one thread";
    return [ratioRow(name, 0.75, reach, medianTime(mine), median(others.map(({ milliseconds }) => milliseconds)))];
  },
};

const zeros: Figure = {
  name: "checksum-zeros",
  async run({ folder, runs }) {
    const rows: Row[] = [];
    for (const { name: format } of formats) {
      const image = join(folder, `zeros.${format}`);
      execFileSync("qemu-img", ["create", "-q", "-f", format, image, "100G"]);
      const mine: Measured[] = [];
      for (let run = 0; run < runs; run++) mine.push(await measureOurs(["checksum", image], folder));
      rmSync(image);
      const time = medianTime(mine);
      const [figure, reach] = [`\`checksum\` of 100 GiB of zeros in a ${format}`, "≤ 0.3 s"];
      rows.push({ figure, reach, measured: seconds(time), isReached: time <= 300 });
    }
    return rows;
  },
};

/** How long a process takes that does next to nothing, beside bare Node. */
const start: Figure = {
  name: "start",
  async run({ folder, runs }) {
    const [nothing, image] = [join(folder, "empty.js"), join(folder, "small.qcow2")];
    writeFileSync(nothing, "");
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", image, "64M"]);
    const rows: Row[] = [];
    for (const { words, most } of [
      { words: ["--version"], most: 1.25 },
      { words: ["check", image], most: 1.5 },
    ]) {
      const [ours, bare] = await byTurns(
        Math.max(runs, 15),
        () => measure([process.execPath, command, ...words], folder),
        () => measure([process.execPath, nothing], folder),
      );
      const figure = `\`${words[0]}\`${words.length > 1 ? " of an empty qcow2 of 64 MiB" : ""}, process start included`;
      rows.push(ratioRow(figure, most, `≤ ${most} × the start of bare Node`, medianTime(ours), medianTime(bare)));
    }
    rmSync(image);
    return rows;
  },
};

export const figures: readonly Figure[] = [
  start,
  ...pairs.map(conversion),
  ...pairs.map(proven),
  ...pairs.map(peak),
  digest,
  zeros,
  ...pairs.map((pair) => huge(pair, "spread")),
  ...pairs.map((pair) => huge(pair, "packed")),
  checkFigure,
  ...damagedFigures,
  downloadFigure,
  ...actionFigures,
  ...pathFigures,
  ...formatFigures,
];

async function convertByQemu(
  source: string,
  from: BenchFormat,
  target: string,
  to: BenchFormat,
  folder: string,
): Promise<Measured> {
  rmSync(target, { force: true });
  // The folder is quiet before the clock starts: what other runs left to write would be counted here.
  syncFile(source);
  const converted = await measure(["qemu-img", "convert", "-f", from.name, "-O", to.name, source, target], folder);
  const synced = await measure(["sync", target], folder);
  return { ...converted, milliseconds: converted.milliseconds + synced.milliseconds };
}

/** Throws where qemu-img finds an error, or more leaks than it is mistaken in. */
async function assertClean(path: string, format: BenchFormat, folder: string): Promise<void> {
  const words = ["qemu-img", "check", "-f", format.name, "--output=json", path];
  const { stdout } = await measure(words, folder, [0, 3]);
  const { corruptions = 0, leaks = 0, "check-errors": errors } = JSON.parse(stdout) as Record<string, number>;
  const forgiven = format.forgivenLeaks(statSync(path).size);
  if (corruptions + (errors ?? 0) > 0 || leaks > forgiven) throw new Error(`qemu-img check of ${path} says ${stdout}`);
}

/** The file's first `length` bytes, all of them data, in one sha256; milliseconds. */
function hashOnOneThread(path: string, length: number): number {
  const begin = performance.now();
  const [file, hash, piece] = [openSync(path, "r"), createHash("sha256"), Buffer.allocUnsafe(MiB)];
  for (let at = 0; at < length; at += piece.length) {
    readSync(file, piece, 0, piece.length, at);
    hash.update(piece);
  }
  hash.digest("hex");
  closeSync(file);
  return performance.now() - begin;
}
