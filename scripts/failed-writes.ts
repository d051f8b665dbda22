/**
 * `node scripts/failed-writes.ts [--writes N] [--only WORDS] [FILE SYSTEM ...]`, as root on Linux: a disk that fails one write.
 *
 * The built command (or the one that `INPLACE_CLI` names) on a real file system. At each of its syncs the first write
 * that this makes, or each of the first N, fails; then `resume` or `rollback` in the same boot, on a disk that is well
 * again; then a power cut, or a remount. Needs qemu-storage-daemon. Prints a Markdown table, as docs/where-it-runs.md
 * has it, and each failure as it comes.
 */

import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { failedWriteSituations } from "./failed-write-situations.ts";
import { type Kind, type Place, prepare, type Situation, syncsOf, trial } from "./failed-write-trials.ts";
import { guarded } from "./failing-device.ts";
import { type FileSystem, fileSystems, missingTool } from "./mounts.ts";
import { ensureTools, find } from "./tools.ts";

const KINDS = ["journal", "image", "sector 0", "folder"] as const satisfies readonly Kind[];

const { values, positionals } = parseArgs({
  options: { only: { type: "string", default: "" }, writes: { type: "string", default: "1" } },
  allowPositionals: true,
});
ensureTools();
if (find("qemu-storage-daemon") === undefined) {
  throw new Error("Cannot make a disk that fails: no qemu-storage-daemon here; install qemu-system-common");
}
const scratch = await mkdtemp(join(tmpdir(), "inplace-failed-writes-"));
const clear = guarded(() => rmSync(scratch, { recursive: true }));
let failures = 0;
try {
  const place = { scratch, folder: join(scratch, "mounted") };
  await mkdir(place.folder);
  console.log(`| file system | ${["the command whose write fails", ...KINDS].join(" | ")} |`);
  console.log(`| --- | --- ${"| --- ".repeat(KINDS.length)}|`);
  const names = positionals.length === 0 ? ["ext4"] : positionals;
  for (const name of names) {
    const fileSystem = fileSystems.find((each) => each.name === name && each.isOnDisk);
    if (fileSystem === undefined) throw new Error(`Cannot try ${name}: no such file system on a disk`);
    for (const situation of failedWriteSituations.filter((each) => each.name.includes(values.only))) {
      console.log(`| ${name} | ${situation.name} | ${(await cellsOf(place, fileSystem, situation)).join(" | ")} |`);
    }
  }
} finally {
  clear();
}
process.exitCode = failures === 0 ? 0 : 1;

/** How many writes of each kind failed, each with `resume` and with `rollback` behind it, and how many ended badly. */
async function cellsOf(place: Place, fileSystem: FileSystem, situation: Situation): Promise<string[]> {
  const missing = missingTool(fileSystem);
  if (missing !== undefined) return [`not tried: no ${missing} here`, "", "", ""];
  const counts = new Map(KINDS.map((kind) => [kind, { tried: 0, failed: 0, unseen: 0 }]));
  const prepared = await prepare(place, fileSystem, situation);
  for (const sync of await syncsOf(prepared)) {
    for (const recovery of ["resume", "rollback"] as const) {
      for (let nth = 1; nth <= Number(values.writes); nth++) {
        const count = counts.get(sync.kind) ?? { tried: 0, failed: 0, unseen: 0 };
        try {
          const hasFailed = await trial(prepared, sync, nth, recovery);
          // The sync had fewer writes.
          if (!hasFailed && nth > 1) break;
          if (!hasFailed) count.unseen++;
        } catch (error) {
          count.failed++;
          const where = `${fileSystem.name}, ${situation.name}, fsync ${sync.turn} (${sync.kind}), write ${nth}, ${recovery}`;
          console.error(`FAILED ${where}: ${(error as Error).message.trim().replaceAll(/\s*\n\s*/g, " / ")}`);
          failures++;
        }
        count.tried++;
      }
    }
  }
  return [...counts.values()].map(({ tried, failed, unseen }) => {
    const told = [`${tried}`];
    if (failed > 0) told.push(`${failed} FAILED`);
    if (unseen > 0) told.push(`${unseen} that no sync told of`);
    return tried === 0 ? "" : told.join(", ");
  });
}
