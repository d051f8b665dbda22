/** `check` against `qemu-img check`: warm, cold, with clusters in no order, and its memory. */

import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Figure, Row } from "./figure.ts";
import { byTurns, command, type Measured, measure, median, medianTime, syncFile } from "./measure.ts";
import { shuffleClusters } from "./shuffled-image.ts";

const MiB = 2 ** 20;

export const checkFigure: Figure = {
  name: "check",
  async run(bench) {
    return [
      ...(await warmAndCold(bench)),
      ...(await memoryAt4TiB(bench)),
      ...(await smallImage(bench)),
      ...(await shuffled(bench)),
    ];
  },
};

async function warmAndCold({ folder, runs }: Bench): Promise<Row[]> {
  const image = preallocated(folder, "1T");
  const [ours, theirs] = commands(image, folder);
  const [mine, others] = await byTurns(runs, ours, theirs);
  const rows = [
    timeRow("1 TiB, warm", 1 / 4, "≤ 1/4 of `qemu-img check`", mine, others),
    memoryRow("1 TiB", 1.5, "≤ 1.5 × qemu-img's", mine, others),
  ];
  if (dropCaches(image)) {
    const cold = (check: () => Promise<Measured>) => async () => {
      dropCaches(image);
      return check();
    };
    const [myCold, othersCold] = await byTurns(Math.min(runs, 3), cold(ours), cold(theirs));
    rows.push(timeRow("1 TiB, cold, programs too", 1 / 2.5, "≤ 1/2.5 of `qemu-img check`", myCold, othersCold));
  } else {
    rows.push(counted("`check` of a qcow2, 1 TiB, cold", "not measured: the page cache can be dropped by root alone"));
  }
  shuffleClusters(image);
  syncFile(image);
  const disordered: Measured[] = [];
  for (let run = 0; run < runs; run++) disordered.push(await ours());
  rmSync(image);
  const [inOrder, inNone] = [medianTime(mine), medianTime(disordered)];
  rows.push(
    counted(
      "`check` of a qcow2, 1 TiB, clusters shuffled, against our own in order",
      `${(inNone / inOrder).toFixed(1)} times: ${seconds(inNone)} against ${seconds(inOrder)}, ${inMiB(memoryOf(disordered))} resident`,
    ),
  );
  return rows;
}

async function memoryAt4TiB({ folder }: Bench): Promise<Row[]> {
  const image = preallocated(folder, "4T");
  const [mine, others] = await byTurns(3, ...commands(image, folder));
  rmSync(image);
  return [memoryRow("4 TiB", 1, "below qemu-img's", mine, others), timeRow("4 TiB, warm", 1, "counted", mine, others)];
}

async function smallImage({ folder, runs }: Bench): Promise<Row[]> {
  const image = preallocated(folder, "4G");
  const [ours] = commands(image, folder);
  const mine: Measured[] = [];
  for (let run = 0; run < runs; run++) mine.push(await ours());
  rmSync(image);
  const time = medianTime(mine);
  return [
    {
      figure: "`check` of a qcow2, 4 GiB, process start included",
      reach: "≤ 0.1 s",
      measured: `${seconds(time)}, ${inMiB(memoryOf(mine))} resident`,
      isReached: time <= 100,
    },
  ];
}

/** qemu-img reads a refcount block for almost every entry then, which takes it minutes at 1 TiB. */
async function shuffled({ folder }: Bench): Promise<Row[]> {
  const image = preallocated(folder, "16G");
  shuffleClusters(image);
  syncFile(image);
  const [mine, others] = await byTurns(3, ...commands(image, folder));
  rmSync(image);
  return [timeRow("16 GiB, clusters shuffled, warm", 1, "counted", mine, others)];
}

/** Every cluster has its place and holds nothing, so that the tables are all that takes room; read once. */
export function preallocated(folder: string, size: string): string {
  const image = join(folder, `check-${size}.qcow2`);
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", image, size]);
  syncFile(image);
  return image;
}

function commands(image: string, folder: string): [() => Promise<Measured>, () => Promise<Measured>] {
  return [
    () => measure([process.execPath, command, "check", image], folder),
    () => measure(["qemu-img", "check", image], folder),
  ];
}

/** False where we may not. */
function dropCaches(image: string): boolean {
  try {
    syncFile(image);
    writeFileSync("/proc/sys/vm/drop_caches", "3");
    return true;
  } catch {
    return false;
  }
}

function timeRow(
  what: string,
  most: number,
  reach: string,
  mine: readonly Measured[],
  others: readonly Measured[],
): Row {
  const [ours, theirs] = [medianTime(mine), medianTime(others)];
  const ratio = ours / theirs;
  return {
    figure: `\`check\` of a qcow2, ${what}`,
    reach,
    measured: `1/${(1 / ratio).toFixed(1)}: ${seconds(ours)} against ${seconds(theirs)}`,
    isReached: reach === "counted" || ratio <= most,
  };
}

function memoryRow(
  what: string,
  most: number,
  reach: string,
  mine: readonly Measured[],
  others: readonly Measured[],
): Row {
  const [ours, theirs] = [memoryOf(mine), memoryOf(others)];
  const ratio = ours / theirs;
  const measured = `${ratio.toFixed(2)}: ${inMiB(ours)} against ${inMiB(theirs)}`;
  return {
    figure: `\`check\` of a qcow2, ${what}: memory`,
    reach,
    measured: ours > 0 ? measured : "not measured: GNU time is missing",
    isReached: !(ratio > most),
  };
}

function counted(figure: string, measured: string): Row {
  return { figure, reach: "counted", measured, isReached: true };
}

/** Median of the largest resident sets; 0 without GNU time. */
function memoryOf(all: readonly Measured[]): number {
  return median(all.map(({ peakMemory }) => peakMemory ?? 0));
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 2)} s`;
const inMiB = (bytes: number): string => `${(bytes / MiB).toFixed(1)} MiB`;
