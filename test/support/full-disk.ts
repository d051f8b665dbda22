/** The real command on a file system that is too small, or that runs full behind one of its calls; then room, and recovery. */

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recovery } from "./kill-chain.ts";
import { judgeEnded, judgeFound, type RealPath, wordsFor } from "./real-paths.ts";
import type { SmallDisk } from "./small-disk.ts";
import { type Ending, runCommand, runStopped, type TracedCall, traceCommand } from "./traced-command.ts";

/** How a command that met a full disk ended. */
export type FullOutcome = "done" | "refused" | "put back" | "journal stands";

const IMAGE = "disk.img";
const STANDS =
  /journal stands\n(?:.*\n)*To finish:\n {2}.* resume .*\n(?:.*\n)*To put the image back as it was:\n {2}.* rollback /;

/** Less and less likely to be needed: by pages, then by doubling. */
export const SIZES: readonly number[] = [
  ...Array.from({ length: 64 }, (_, at) => at * 4096),
  ...[288, 320, 384, 448, 512, 768, 1024, 4096, 16_384, 20_480].map((kib) => kib * 1024),
];

export async function callsOn(disk: SmallDisk, path: RealPath, logFolder: string): Promise<readonly TracedCall[]> {
  const image = await begin(disk, path);
  const [{ exitCode, said }, calls] = await traceCommand(wordsFor(path, image), logFolder);
  if (exitCode !== 0) throw new Error(`ended with ${exitCode}: ${said}`);
  await judgeEnded(path, image);
  return calls;
}

/** With so much room beside the image. */
export async function runWithRoom(
  disk: SmallDisk,
  path: RealPath,
  free: number,
  recovery: Recovery,
): Promise<FullOutcome> {
  const image = await begin(disk, path);
  await disk.leave(free);
  return judge(disk, path, image, await runCommand(wordsFor(path, image)), recovery);
}

/** Others take all that is left behind the call. */
export async function runFilled(
  disk: SmallDisk,
  path: RealPath,
  call: TracedCall,
  recovery: Recovery,
  logFolder: string,
): Promise<FullOutcome> {
  const image = await begin(disk, path);
  const ending = await runStopped(wordsFor(path, image), call, logFolder, () => disk.leave(0));
  return judge(disk, path, image, ending, recovery);
}

async function begin(disk: SmallDisk, { bytes }: RealPath): Promise<string> {
  await disk.clear();
  for (const name of await readdir(disk.folder)) if (name !== "lost+found") await rm(join(disk.folder, name));
  const image = join(disk.folder, IMAGE);
  await writeFile(image, bytes, { flush: true });
  return image;
}

/** The command's word is true, its image whole; with room again recovery ends where it was asked to. */
async function judge(
  disk: SmallDisk,
  path: RealPath,
  image: string,
  { exitCode, said }: Ending,
  recovery: Recovery,
): Promise<FullOutcome> {
  const left = async () =>
    (await readdir(disk.folder)).filter((name) => ![IMAGE, "filler", "lost+found"].includes(name)).sort();
  if (exitCode === 0) {
    const format = await judgeEnded(path, image);
    if (format !== path.to) throw new Error(`it ended with 0 at ${format}`);
    mustBeGone(await left());
    return "done";
  }
  if (exitCode === 1) {
    if (Buffer.compare(await readFile(image), path.bytes) !== 0) throw new Error(`exit 1, but it changed: ${said}`);
    mustBeGone(await left());
    return /put back/.test(said) ? "put back" : "refused";
  }
  if (exitCode !== 4 || !STANDS.test(said)) throw new Error(`exit ${exitCode}: ${said}`);
  await judgeFound(path, image);
  await disk.clear();
  const recovered = await runCommand([recovery, image]);
  const isGone = recovered.exitCode === 1 && /[Nn]othing to /.test(recovered.said);
  if (recovered.exitCode !== 0 && !isGone)
    throw new Error(`${recovery} with room: ${recovered.exitCode}: ${recovered.said}`);
  const format = await judgeEnded(path, image);
  if (!isGone && format !== (recovery === "resume" ? path.to : path.from))
    throw new Error(`${recovery} ended at ${format}`);
  mustBeGone(await left());
  return "journal stands";
}

function mustBeGone(left: readonly string[]): void {
  if (left.length > 0) throw new Error(`it left ${left.join(", ")}`);
}
