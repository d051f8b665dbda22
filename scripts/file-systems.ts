/**
 * `node scripts/file-systems.ts [--every N] [NAME ...]`, as root on Linux: the built command on real file systems.
 *
 * On each, QED to qcow2 and back: undisturbed; killed at every N-th call that changes the disk; the disk copied there,
 * as a power cut would leave it, mounted anew, compared by qemu-img before any recovery, and recovered; with QEMU
 * holding the image; with no space left. Prints a Markdown table, as docs/where-it-runs.md has it.
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  converts,
  diskFull,
  killed,
  lockSeen,
  type Place,
  powerCut,
  prepare,
  type Trial,
} from "./file-system-trials.ts";
import { type FileSystem, fileSystems, missingTool } from "./mounts.ts";
import { ensureTools } from "./tools.ts";

const columns: readonly (readonly [string, Trial])[] = [
  ["converts", converts],
  ["killed at each call", killed],
  ["power cut at each call", powerCut],
  ["QEMU's lock", lockSeen],
  ["disk full", diskFull],
];

const { values, positionals } = parseArgs({
  options: { every: { type: "string", default: "1" } },
  allowPositionals: true,
});
ensureTools();
const scratch = await mkdtemp(join(tmpdir(), "inplace-file-systems-"));
let failures = 0;
try {
  const place = {
    scratch,
    folder: join(scratch, "mounted"),
    beside: join(scratch, "layers"),
    every: Number(values.every),
  };
  await mkdir(place.folder);
  await mkdir(place.beside);
  console.log(`| file system | ${columns.map(([title]) => title).join(" | ")} |`);
  console.log(`| --- ${"| --- ".repeat(columns.length)}|`);
  for (const fileSystem of fileSystems.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    console.log(`| ${fileSystem.name} | ${(await cellsOf(place, fileSystem)).join(" | ")} |`);
  }
} finally {
  await rm(scratch, { recursive: true });
}
process.exitCode = failures === 0 ? 0 : 1;

async function cellsOf(place: Place, fileSystem: FileSystem): Promise<string[]> {
  const untried = (why: string) => [`not tried: ${why}`, ...columns.slice(1).map(() => "")];
  const missing = missingTool(fileSystem);
  if (missing !== undefined) return untried(`no ${missing} here`);
  const cells: string[] = [];
  try {
    const pristine = [
      await prepare(place, fileSystem, "qed", "qcow2"),
      await prepare(place, fileSystem, "qcow2", "qed"),
    ] as const;
    for (const [, trial] of columns) {
      const told = new Set<string>();
      for (const each of pristine) {
        told.add(await trial(each).catch((error: Error) => failed(`${each.from} to ${each.to}: ${oneLine(error)}`)));
      }
      cells.push([...told].join("; "));
    }
    return cells;
  } catch (error) {
    return untried(oneLine(error as Error));
  }
}

function failed(what: string): string {
  failures++;
  return `FAILED ${what}`;
}

function oneLine({ message }: Error): string {
  return message
    .trim()
    .replaceAll(/\s*\n\s*/g, " / ")
    .replaceAll("|", "\\|")
    .slice(0, 400);
}
