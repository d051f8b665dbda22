/**
 * `npm run bench [-- --only NAME,... --runs 7 --scale 1 --page FILE]`: the figures, side by side with qemu-img.
 *
 * A whole run at full scale writes docs/benchmarks.md; a part of it only prints, unless a page is named. Needs some 15 GiB in the folder for temporary files.
 */

import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { arch, cpus, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { qemuVersion } from "../scripts/tools.ts";
import { newBench, type Row } from "./figure.ts";
import { figures } from "./figures.ts";
import { command } from "./measure.ts";

const GiB = 2 ** 30;
const NEEDED = 15 * GiB;
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "XFS",
  2435016766: "btrfs",
  16914836: "tmpfs",
};

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "7" },
    scale: { type: "string", default: "1" },
    page: { type: "string" },
  },
});
const only = values.only?.split(",");
const [runs, scale] = [Number(values.runs), Number(values.scale)];
const chosen = figures.filter(({ name }) => only === undefined || only.includes(name));
if (chosen.length === 0) {
  console.error(`No such figure: ${values.only}. There are: ${figures.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
if (!existsSync(command)) {
  console.error("Cannot measure without dist/cli.mjs: run npm run build first");
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "inplace-bench-"));
const rows: Row[] = [];
try {
  const { bavail, bsize, type: fileSystem } = statfsSync(folder);
  if (bavail * bsize < NEEDED * scale) throw new Error(`Cannot measure: ${folder} has less than 15 GiB free`);
  const bench = newBench(folder, runs, scale);
  for (const { name, run } of chosen) {
    const found = await run(bench);
    for (const row of found)
      console.log(
        `${name.padEnd(18)} ${row.isReached ? "reached" : "MISSED "}  ${row.figure}: ${row.measured} (${row.reach})`,
      );
    rows.push(...found);
  }
  const recorded =
    only === undefined && scale === 1 ? fileURLToPath(new URL("../docs/benchmarks.md", import.meta.url)) : undefined;
  const page = values.page ?? recorded;
  if (page !== undefined) {
    writeFileSync(page, pageOf(rows, FILE_SYSTEMS[fileSystem] ?? `file system type 0x${fileSystem.toString(16)}`));
    console.log(`\nwritten to ${page}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pageOf(all: readonly Row[], fileSystem: string): string {
  const [processor] = cpus();
  const qemu = qemuVersion();
  const lines = all.map(
    ({ figure, reach, measured, isReached }) =>
      `| ${figure} | ${reach} | ${isReached ? "" : "**missed** "}${measured} |`,
  );
  return `# Benchmarks

Written by \`npm run bench\`: medians of ${runs} runs, each on a fresh copy of its source, synced before the clock starts,
ours and qemu-img's by turns in one run. Times are those of whole processes, start included. Ratios carry over to other
machines better than times do.

| | reach | measured |
| --- | --- | --- |
${lines.join("\n")}

Machine: ${processor?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / GiB)} GiB of memory, ${type()} ${release().match(/^[\d.]+/)?.[0]} ${arch()}, ${fileSystem}, Node ${process.version}, ${qemu}.
`;
}
