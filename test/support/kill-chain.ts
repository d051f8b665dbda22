/** The real command, killed at an exact call, and so each recovery of it, until one may come to its end. */

import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "./random.ts";
import { judgeEnded, judgeFound, type RealPath, wordsFor } from "./real-paths.ts";
import { CHANGING_CALLS, runCommand, runInjected, type TracedCall, traceCommand } from "./traced-command.ts";

export type Recovery = "resume" | "rollback";

/** Killed recoveries in their order, then the one that nobody disturbs. */
export const CHAINS: readonly (readonly Recovery[])[] = [
  ["resume", "rollback", "resume"],
  ["rollback", "resume", "rollback"],
  ["resume", "resume", "resume"],
  ["rollback", "rollback", "rollback"],
];

export interface TracedPath {
  readonly path: RealPath;
  readonly calls: readonly TracedCall[];
}

const IMAGE = "disk.img";

/** The calls of the path when nobody disturbs it; throws unless it ends as it should. */
export async function tracePath(path: RealPath, folder: string): Promise<TracedPath> {
  const place = join(folder, "undisturbed");
  const image = await begin(path, place);
  const [{ exitCode, said }, calls] = await traceCommand(wordsFor(path, image), folder);
  if (exitCode !== 0) throw new Error(`${path.name} ended with ${exitCode}: ${said}`);
  const format = await judgeEnded(path, image);
  if (format !== path.to) throw new Error(`${path.name} ended at ${format}`);
  await rm(place, { recursive: true });
  return { path, calls };
}

/**
 * Killed at the call; the image is judged as found; each recovery but the last is killed too, at a call by chance, and
 * the image judged. Returns how many kills struck.
 */
export async function runChain(
  { path, calls }: TracedPath,
  at: TracedCall,
  recoveries: readonly Recovery[],
  random: Random,
  place: string,
): Promise<number> {
  const image = await begin(path, place);
  const told = [`${at.name} ${at.turn}`];
  const left = new Map(CHANGING_CALLS.map((name) => [name, calls.filter((call) => call.name === name).length]));
  let kills = 0;
  try {
    const first = await runInjected(wordsFor(path, image), { call: at.name, what: "signal=KILL", turn: at.turn });
    if (first.exitCode !== null) throw new Error(`it was not killed: ${first.exitCode}: ${first.said}`);
    kills++;
    await judgeFound(path, image);
    let hasGoneBack = false;
    for (const recovery of recoveries.slice(0, -1)) {
      // Mostly as far on as what is left of the way; one that is over sooner has ended, which is as good.
      const call = random.pick([
        "pwrite64",
        "pwrite64",
        "fsync",
        "fdatasync",
        "ftruncate",
        "rename",
        "unlink",
      ] as const);
      const most = Math.max(2, Math.ceil((left.get(call) as number) * random.next()));
      const turn = 1 + random.below(most);
      told.push(`${recovery} at ${call} ${turn}`);
      hasGoneBack ||= recovery === "rollback";
      const { exitCode, said } = await runInjected([recovery, image], { call, what: "signal=KILL", turn });
      if (exitCode === null) kills++;
      else mustHaveEnded(exitCode, said);
      await judgeFound(path, image);
    }
    const last = recoveries.at(-1) as Recovery;
    told.push(last);
    const { exitCode, said } = await runCommand([last, image]);
    const isNothing = mustHaveEnded(exitCode, said);
    const format = await judgeEnded(path, image);
    const names = (await readdir(place)).filter((name) => name !== IMAGE);
    if (names.length > 0) throw new Error(`it left ${names.join(", ")}`);
    const wanted = last === "resume" ? path.to : path.from;
    // Nothing left to do: an earlier one came to its end. A way back that was cut off is one that resume may finish.
    const isEither = isNothing || (last === "resume" && hasGoneBack);
    if (format !== wanted && !(isEither && [path.from, path.to].includes(format))) {
      throw new Error(`${last} ended at ${format}: ${said}`);
    }
    return kills;
  } catch (error) {
    throw new Error(`${path.name}: ${told.join(", then ")}: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(place, { recursive: true });
    await rm(`${place}.raw`, { force: true });
  }
}

async function begin({ bytes }: RealPath, place: string): Promise<string> {
  await mkdir(place);
  const image = join(place, IMAGE);
  await writeFile(image, bytes);
  return image;
}

/** True where there was nothing to do. */
function mustHaveEnded(exitCode: number | null, said: string): boolean {
  const isNothing = /[Nn]othing to (resume|roll back)/.test(said);
  if (exitCode !== (isNothing ? 1 : 0)) throw new Error(`exit ${exitCode}: ${said}`);
  return isNothing;
}
