/**
 * `npm run boot -- [--all] [--only TEXT] [--seed N] [--minutes N]`: whether a disk still boots behind a conversion by the
 * built command, on a processor that QEMU emulates: raw to each format, each that qemu-img makes to qcow2 and to raw; with
 * `--all` each to each.
 *
 * The disk of 4.5 GiB has a boot sector of ours, which reads all over it through the firmware and prints what it read as
 * sums. First it is proven that a damaged disk is seen. `--only` takes the pairs whose names hold the text. What is not
 * reached in N minutes (60) has failed. The last line is `N passed, N failed`.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BootTrials, type Trial } from "./boot-trials.ts";
import { ensureTools } from "./tools.ts";
import { TrialCount } from "./trial-count.ts";

const { values } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "60" },
  },
});
const deadline = performance.now() + Number(values.minutes) * 60_000;
const counts = new TrialCount();
const scratch = mkdtempSync(join(tmpdir(), "inplace-boot-"));
try {
  ensureTools("qemu-img", "qemu-system-x86_64");
  const trials = new BootTrials(scratch, Number(values.seed));
  for (const trial of trials.selfTests()) await attempt(trial);
  if (counts.failed > 0) throw new Error("Cannot prove anything: the trials do not see what they are made to see");
  const asked = trials.conversions(values.all).filter(({ name }) => name.includes(values.only));
  if (asked.length === 0) throw new Error(`Cannot find a pair whose name holds ${JSON.stringify(values.only)}`);
  for (const trial of asked) await attempt(trial);
} catch (error) {
  counts.giveUp(error);
} finally {
  rmSync(scratch, { recursive: true });
}
counts.end();

async function attempt({ name, run }: Trial): Promise<void> {
  const start = performance.now();
  await counts.attempt(name, async () => {
    if (start > deadline) throw new Error(`not reached in ${values.minutes} minutes`);
    await run();
    return `${((performance.now() - start) / 1000).toFixed(1)} s`;
  });
}
