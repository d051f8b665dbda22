/** `npm run mutants -- --seed N --count N [--first N]`: damaged images, checked by qemu-img and by us. */

import { parseArgs } from "node:util";
import { runCheckCampaign } from "../test/support/check-campaign.ts";
import { ensureTools } from "./tools.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "20000" },
    first: { type: "string", default: "0" },
  },
});
ensureTools();
const [seed, count, first] = [Number(values.seed), Number(values.count), Number(values.first)];
let tried = 0;
const { outcomes, disagreements } = await runCheckCampaign({
  seed,
  first,
  end: first + count,
  onTrial: () => ++tried % 1000 === 0 && console.error(`${tried} of ${count}`),
});
for (const { number, sample, story, difference } of disagreements) {
  console.log(`FAILED --seed ${seed} --first ${number} (${sample}; ${story.join("; ")}): ${difference}`);
}
for (const [outcome, times] of [...outcomes].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(`${String(times).padStart(8)}  ${outcome}`);
}
process.exitCode = disagreements.length === 0 ? 0 : 1;
