/** The action's figures: how soon it begins, and a thousand small images in one step. */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure, Row } from "./figure.ts";
import { type Measured, measure, median, medianTime } from "./measure.ts";

const main = fileURLToPath(new URL("../dist/main.mjs", import.meta.url));
const MiB = 2 ** 20;
const MANY = 1000;
const FEW = 100;

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 2)} s`;
const inMiB = (bytes: number): string => `${(bytes / MiB).toFixed(0)} MiB`;

/** One step in the folder `workspace`, as a runner starts it. */
function step(workspace: string, inputs: Readonly<Record<string, string>>, folder: string): Promise<Measured> {
  const files = ["GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"].map((name) => {
    const path = join(folder, `${name}.txt`);
    writeFileSync(path, "");
    return `${name}=${path}`;
  });
  const given = Object.entries(inputs).map(([name, value]) => `INPUT_${name.toUpperCase()}=${value}`);
  const words = ["-C", workspace, ...files, `GITHUB_WORKSPACE=${workspace}`, ...given, process.execPath, main];
  return measure(["env", ...words], folder);
}

/** A QED image with some data, as often as asked. */
async function makeImages(count: number, workspace: string, folder: string): Promise<void> {
  rmSync(workspace, { recursive: true, force: true });
  mkdirSync(workspace);
  const first = join(folder, "first.qed");
  await measure(["qemu-img", "create", "-q", "-f", "qed", first, "64M"], folder);
  const writes = [0, 3, 17, 40].flatMap((at) => ["-c", `write -q -P ${at + 1} ${at}M 64k`]);
  await measure(["qemu-io", "-f", "qed", ...writes, first], folder);
  for (let index = 0; index < count; index++) copyFileSync(first, join(workspace, `${index}.qed`));
  rmSync(first);
  await measure(["sync"], folder);
}

/** The whole of a step that checks one small image: an upper bound of the time until it is opened. */
const start: Figure = {
  name: "action-start",
  async run({ folder, runs }): Promise<Row[]> {
    const workspace = join(folder, "workspace");
    await makeImages(1, workspace, folder);
    const inputs = { image: "0.qed", mode: "check", summary: "never" };
    const all: Measured[] = [];
    for (let run = 0; run < runs; run++) all.push(await step(workspace, inputs, folder));
    rmSync(workspace, { recursive: true });
    const time = medianTime(all);
    return [
      {
        figure: "action: a whole step that checks one small image, Node's own start included",
        reach: "≤ 0.150 s until the image is opened",
        measured: seconds(time),
        isReached: time <= 150,
      },
    ];
  },
};

const thousand: Figure = {
  name: "action-1000",
  async run({ folder, runs }): Promise<Row[]> {
    const workspace = join(folder, "workspace");
    const measured = async (count: number, inputs: Readonly<Record<string, string>>): Promise<Measured[]> => {
      const all: Measured[] = [];
      for (let run = 0; run < Math.min(3, runs); run++) {
        await makeImages(count, workspace, folder);
        all.push(await step(workspace, { image: "*.qed", ...inputs }, folder));
      }
      return all;
    };
    const memory = (all: readonly Measured[]) => median(all.map(({ peakMemory = 0 }) => peakMemory));
    const rows: Row[] = [];
    for (const [what, inputs] of [
      ["converted", { "target-format": "qcow2", report: "report.json" }],
      ["checked", { mode: "check", report: "report.json" }],
    ] as const) {
      const [few, many] = [await measured(FEW, inputs), await measured(MANY, inputs)];
      const [time, ofFew, ofMany] = [medianTime(many), memory(few), memory(many)];
      rows.push({
        figure: `action: ${MANY} small images ${what} in one step`,
        reach: `≤ 12 s; memory flat: ≤ 1.3 × that of ${FEW} images`,
        measured: `${seconds(time)}; ${inMiB(ofMany)}, ${inMiB(ofFew)} with ${FEW} images`,
        isReached: time <= 12_000 && ofMany <= 1.3 * ofFew,
      });
    }
    rmSync(workspace, { recursive: true });
    return rows;
  },
};

export const actionFigures: readonly Figure[] = [start, thousand];
