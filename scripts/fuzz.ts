/** `npm run fuzz -- --seed N --count N [--first N] [--judge-every N] [--keep PATH]`: hostile images, reproducible by their seed. */

import { parseArgs } from "node:util";
import { runCampaign } from "../test/fuzz/campaign.ts";
import { ensureTools } from "./tools.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "10000" },
    first: { type: "string", default: "0" },
    "judge-every": { type: "string", default: "10" },
    keep: { type: "string" },
  },
});
ensureTools();
const [seed, count, first] = [Number(values.seed), Number(values.count), Number(values.first)];
let slowest = { milliseconds: 0, text: "none" };
const result = await runCampaign({
  seed,
  first,
  end: first + count,
  judgeEvery: Number(values["judge-every"]),
  ...(values.keep !== undefined && { keep: values.keep }),
  onFailure: (failure) => console.log(`FAILED ${failure}`),
  onTrial(number, milliseconds, what) {
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, text: `${number} (${what})` };
    if ((number - first + 1) % 1000 === 0) console.error(`${number - first + 1} of ${count}`);
  },
});
for (const [outcome, times] of [...result.outcomes].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(`${String(times).padStart(8)}  ${outcome}`);
}
console.log(`slowest: ${slowest.milliseconds.toFixed(0)} ms, ${slowest.text}`);
console.log(`memory above the floor: ${(result.memoryAbove / 2 ** 20).toFixed(0)} MiB`);
const { tried, converted, judged, failures } = result;
console.log(`${tried} mutants, ${converted} converted, ${judged} judged by qemu-img, ${failures.length} failures`);
process.exitCode = failures.length === 0 ? 0 : 1;
