/**
 * What `scripts/file-systems.ts` tries on each file system: the real command undisturbed, killed, cut off from its disk,
 * with QEMU holding the image, and with no space left. A trial returns a phrase, or throws what went wrong.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { qemuKitOf } from "../test/formats/kits.ts";
import { makeQemuImage } from "../test/support/qemu-images.ts";
import { assertClean, assertSame, fileDigest, info } from "../test/support/qemu-tools.ts";
import { runCommand, runInjected, type TracedCall, traceCommand } from "../test/support/traced-command.ts";
import { copyDisk, type FileSystem, makeDisk } from "./mounts.ts";

/** Where the disks lie, where they are mounted, and where layers below lie. */
export interface Place {
  readonly scratch: string;
  readonly folder: string;
  readonly beside: string;
  /** Every how many calls one is killed. */
  readonly every: number;
}

/** A disk with an image on it, unmounted, and what is known of the image. */
export interface Pristine extends Place {
  readonly fileSystem: FileSystem;
  readonly disk: string;
  /** The image while the disk is mounted. */
  readonly image: string;
  readonly from: string;
  readonly to: string;
  /** Copies outside the file system: the image, and its guest as raw. */
  readonly source: string;
  readonly rawPath: string;
  readonly digest: string;
}

export type Trial = (pristine: Pristine) => Promise<string>;

const IMAGE = "disk.img";

export async function prepare(place: Place, fileSystem: FileSystem, from: string, to: string): Promise<Pristine> {
  const { scratch, folder, beside } = place;
  const { path: source, rawPath } = await makeQemuImage(scratch, {
    name: `${from}-source`,
    format: from,
    virtualSize: 700 * 1024 + 512,
    options: qemuKitOf(from).smallOptions,
    contents: ["fragmented", "zeroed"],
  });
  const disk = join(scratch, `${from}.disk`);
  const digest = await fileDigest(source);
  const pristine = { ...place, fileSystem, disk, image: join(folder, IMAGE), from, to, source, rawPath, digest };
  await makeDisk(fileSystem, disk);
  await mounted(pristine, disk, () => copyFile(source, join(fileSystem.lower?.(beside) ?? folder, IMAGE)));
  return pristine;
}

export async function converts(pristine: Pristine): Promise<string> {
  const { image, to } = pristine;
  return fresh(pristine, async () => {
    await mustEnd(["convert", image, to], 0);
    if ((await formatOf(pristine)) !== to) throw new Error("it is not converted");
    await mustBeTidy(pristine, to);
    return "yes";
  });
}

export async function killed(pristine: Pristine): Promise<string> {
  const calls = await callsOf(pristine);
  for (const [at, call] of calls.entries()) {
    await telling(call, () =>
      fresh(pristine, async () => {
        await kill(pristine, call);
        await mustRecover(pristine, at);
      }),
    );
  }
  return `${pristine.from} to ${pristine.to}: ${calls.length}`;
}

/** At each call and after the end, what has reached the disk is all that is left. */
export async function powerCut(pristine: Pristine): Promise<string> {
  const { fileSystem, scratch, image, from, to } = pristine;
  if (!fileSystem.isOnDisk) return "lost with the power";
  const calls = await callsOf(pristine);
  const disk = join(scratch, "cut.disk");
  for (const [at, call] of calls.entries()) {
    await telling(call, async () => {
      await fresh(pristine, async (running) => {
        await kill(pristine, call);
        copyDisk(running, disk);
      });
      // The file system replays its own journal here.
      await mounted(pristine, disk, () => mustRecover(pristine, at));
    });
  }
  await fresh(pristine, async (running) => {
    await mustEnd(["convert", image, to], 0);
    copyDisk(running, disk);
  });
  await mounted(pristine, disk, async () => {
    if ((await formatOf(pristine)) !== to) throw new Error("a conversion that had ended is lost");
    // The lock's removal is not synced: a lock may come back, whose owner is dead.
    await mustEnd(["resume", image], 1);
    await mustBeTidy(pristine, to);
  });
  return `${from} to ${to}: ${calls.length} and after the end`;
}

export async function lockSeen(pristine: Pristine): Promise<string> {
  const { image, from, to } = pristine;
  return fresh(pristine, async () => {
    const holder = await holding(image, from);
    try {
      const said = await mustEnd(["convert", image, to], 1);
      if (!said.includes("has it open")) throw new Error(said);
    } finally {
      await ended(holder);
    }
    return "seen";
  });
}

export async function diskFull(pristine: Pristine): Promise<string> {
  const { folder, image, to, digest } = pristine;
  return fresh(pristine, async () => {
    const filler = join(folder, "filler");
    await fill(filler);
    const { exitCode, said } = await runCommand(["convert", image, to]);
    await formatOf(pristine);
    if (exitCode === 1 && (await fileDigest(image)) === digest) return "refused, untouched";
    if (exitCode !== 4) throw new Error(`exit ${exitCode}: ${said}`);
    await rm(filler);
    await mustEnd(["resume", image], 0);
    if ((await formatOf(pristine)) !== to) throw new Error("resume did not convert it");
    return "stopped, the guest whole; resumed with space";
  });
}

async function mounted<T>({ fileSystem, folder, beside }: Pristine, disk: string, act: () => Promise<T>): Promise<T> {
  fileSystem.mount(disk, folder, beside);
  try {
    return await act();
  } finally {
    fileSystem.unmount(folder, beside);
  }
}

/** `act` on a fresh copy of the disk, mounted. */
async function fresh<T>(pristine: Pristine, act: (disk: string) => Promise<T>): Promise<T> {
  const disk = join(pristine.scratch, "fresh.disk");
  if (pristine.fileSystem.isOnDisk) copyDisk(pristine.disk, disk);
  return mounted(pristine, disk, async () => {
    if (!pristine.fileSystem.isOnDisk) await copyFile(pristine.source, pristine.image);
    return act(disk);
  });
}

/** The format that QEMU finds, once it shows the guest whole. */
async function formatOf({ image, from, to, rawPath }: Pristine): Promise<string> {
  const format = (await info(image)).format;
  if (format !== from && format !== to) throw new Error(`the file opens as ${format}`);
  await assertSame(image, format, rawPath);
  return format;
}

async function mustEnd(words: readonly string[], exitCode: number): Promise<string> {
  const ending = await runCommand(words);
  if (ending.exitCode !== exitCode) throw new Error(`${words.join(" ")}: exit ${ending.exitCode}: ${ending.said}`);
  return ending.said;
}

/** The calls of an undisturbed conversion, every N-th of them. */
async function callsOf(pristine: Pristine): Promise<TracedCall[]> {
  return fresh(pristine, async () => {
    const [{ exitCode, said }, calls] = await traceCommand(["convert", pristine.image, pristine.to], pristine.scratch);
    if (exitCode !== 0) throw new Error(said);
    return calls.filter((_, at) => at % pristine.every === 0);
  });
}

async function telling(call: TracedCall, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw new Error(`at ${call.name} ${call.turn}: ${(error as Error).message}`, { cause: error });
  }
}

async function kill({ image, to }: Pristine, { name, turn }: TracedCall): Promise<void> {
  const { exitCode } = await runInjected(["convert", image, to], { call: name, what: "signal=KILL", turn });
  if (exitCode === 0) throw new Error("it was not killed");
}

/** The guest is whole before any recovery, and resume or rollback ends where it should. */
async function mustRecover(pristine: Pristine, at: number): Promise<void> {
  await formatOf(pristine);
  const recovery = at % 2 === 0 ? "resume" : "rollback";
  const { exitCode, said } = await runCommand([recovery, pristine.image]);
  const isNothing = exitCode === 1 && /nothing to (resume|roll back)/i.test(said);
  if (exitCode !== 0 && !isNothing) throw new Error(`${recovery}: exit ${exitCode}: ${said}`);
  const format = await formatOf(pristine);
  if (exitCode === 0 && format !== (recovery === "resume" ? pristine.to : pristine.from)) {
    throw new Error(`${recovery} left ${format}`);
  }
  await mustBeTidy(pristine, format);
}

async function mustBeTidy({ image, folder }: Pristine, format: string): Promise<void> {
  await assertClean(image, format);
  const left = (await readdir(folder)).filter((name) => name.startsWith(`${IMAGE}.inplace`));
  if (left.length > 0) throw new Error(`it left ${left.join(", ")}`);
}

/** qemu-io with the image open: it prompts once its locks are there. */
async function holding(image: string, format: string): Promise<ChildProcess> {
  const holder = spawn("qemu-io", ["-f", format, image], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    holder.stdout.once("data", resolve);
    holder.once("error", reject).once("exit", () => reject(new Error("qemu-io ended")));
  });
  return holder;
}

async function ended(holder: ChildProcess): Promise<void> {
  const end = new Promise((resolve) => holder.removeAllListeners("exit").once("exit", resolve));
  holder.kill("SIGKILL");
  await end;
}

/** Takes all the space that there is, in ever smaller pieces. */
async function fill(filler: string): Promise<void> {
  for (let size = 2 ** 20; size >= 4096; size /= 4) {
    try {
      for (;;) await writeFile(filler, Buffer.alloc(size, 7), { flag: "a", flush: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}
