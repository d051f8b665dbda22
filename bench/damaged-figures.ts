/** Damaged images of 1 TiB, checked and repaired by us and by qemu-img; and empty disks of 1 PiB, of which no command is to feel the length. */

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { preallocated } from "./check-figures.ts";
import { damage, damages } from "./damaged-image.ts";
import type { Bench, Figure, Row } from "./figure.ts";
import { byTurns, command, freshCopy, type Measured, measure, medianTime, syncFile } from "./measure.ts";
import { ratioRow, seconds } from "./ratio.ts";

/** What a check or a repair may say: nothing is wrong, something is, something leaks. */
const VERDICTS = [0, 2, 3];
/** qemu-img takes half a minute to repair an image of some kinds. */
const MAX_REPAIRS = 3;

const checkDamaged: Figure = {
  name: "check-damaged",
  run: (bench) =>
    eachDamage(bench, async (image, kind) => {
      const { folder, runs } = bench;
      const ours = () => measure([process.execPath, command, "check", image], folder, VERDICTS);
      const theirs = () => measure(["qemu-img", "check", image], folder, VERDICTS);
      const [mine, others] = await byTurns(runs, ours, theirs);
      const what = `\`check\` of a damaged qcow2, 1 TiB, ${kind}`;
      return ratioRow(what, 0.6, "≤ 0.6 of `qemu-img check`", medianTime(mine), medianTime(others));
    }),
};

const repairDamaged: Figure = {
  name: "repair-damaged",
  run: (bench) =>
    eachDamage(bench, async (image, kind) => {
      const { folder, runs } = bench;
      const copy = join(folder, "repaired.qcow2");
      const repairedBy = async (words: readonly string[]) => {
        freshCopy(image, copy);
        const repaired = await measure([...words, "check", "-r", "all", copy], folder, VERDICTS);
        const synced = await measure(["sync", copy], folder);
        return { ...repaired, milliseconds: repaired.milliseconds + synced.milliseconds };
      };
      const ours = () => repairedBy([process.execPath, command]);
      const theirs = () => repairedBy(["qemu-img"]);
      const [mine, others] = await byTurns(Math.min(runs, MAX_REPAIRS), ours, theirs);
      rmSync(copy);
      const what = `\`check -r all\` of a damaged qcow2, 1 TiB, ${kind}`;
      return ratioRow(what, 1, "≤ 1.0 of `qemu-img check -r all` + sync", medianTime(mine), medianTime(others));
    }),
};

async function eachDamage(
  { folder }: Bench,
  measureOne: (image: string, kind: string) => Promise<Row>,
): Promise<Row[]> {
  const sound = preallocated(folder, "1T");
  const image = join(folder, "damaged.qcow2");
  const rows: Row[] = [];
  for (const kind of Object.keys(damages)) {
    freshCopy(sound, image);
    damage(image, kind);
    syncFile(image);
    rows.push(await measureOne(image, kind));
  }
  for (const path of [sound, image]) rmSync(path);
  return rows;
}

/** The longest disks that each format can have, or this file system's files. */
const EMPTY_DISKS = [
  { size: "1P", format: "qcow2", options: ["-o", "cluster_size=2M"], target: "qed" },
  { size: "64T", format: "qed", options: [], target: "qcow2" },
  { size: "64T", format: "vhdx", options: [], target: "qcow2" },
  { size: "64T", format: "vdi", options: [], target: "qcow2" },
  { size: "8T", format: "raw", options: [], target: "qcow2" },
] as const;

const emptyDisks: Figure = {
  name: "empty-1p",
  async run({ folder, runs }) {
    const rows: Row[] = [];
    for (const { size, format, options, target } of EMPTY_DISKS) {
      const [empty, image] = [join(folder, "empty"), join(folder, "image")];
      execFileSync("qemu-img", ["create", "-q", "-f", format, ...options, empty, size]);
      for (const words of [["info"], ["check"], ["map"], ["checksum"], ["plan", target], ["convert", target]]) {
        const [verb = "", ...rest] = words;
        if (verb === "check" && format === "raw") continue;
        const mine: Measured[] = [];
        for (let run = 0; run < runs; run++) {
          freshCopy(empty, image);
          mine.push(await measure([process.execPath, command, verb, "-f", format, image, ...rest], folder));
        }
        const time = medianTime(mine);
        const figure = `\`${verb}\` of an empty ${format} of ${size}iB${rest.length > 0 ? `, to ${target}` : ""}`;
        rows.push({ figure, reach: "≤ 1 s", measured: seconds(time), isReached: time <= 1000 });
      }
      for (const path of [empty, image]) rmSync(path);
    }
    return rows;
  },
};

export const damagedFigures: readonly Figure[] = [checkDamaged, repairDamaged, emptyDisks];
