/**
 * What `scripts/failed-writes.ts` tries: one write behind one sync of a command fails, recovery runs in the same boot on
 * a cache that shows what the disk lost, and after a remount the image must be what the last command said.
 */

import { execFileSync } from "node:child_process";
import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { qemuKitOf } from "../test/formats/kits.ts";
import { makeQemuImage } from "../test/support/qemu-images.ts";
import { assertClean, assertSame, fileDigest, info } from "../test/support/qemu-tools.ts";
import {
  type Ending,
  runCommand,
  runInjected,
  runStopped,
  type TracedCall,
  traceCommand,
} from "../test/support/traced-command.ts";
import { FailingDevice, guarded } from "./failing-device.ts";
import { copyDisk, type FileSystem, makeDisk } from "./mounts.ts";

/** A command whose writes fail, and what was done before on a disk that is well. */
export interface Situation {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Changes the image before anything else. */
  readonly damage?: (image: string) => Promise<void>;
  readonly before?: {
    readonly words: readonly string[];
    /** Ended right before this one of its calls. */
    readonly killedAt?: (calls: readonly TracedCall[]) => TracedCall | undefined;
  };
  /** `IMAGE` stands for the image's path. */
  readonly words: readonly string[];
}

export interface Place {
  readonly scratch: string;
  readonly folder: string;
}

export type Recovery = "resume" | "rollback";
export type Kind = "journal" | "image" | "sector 0" | "folder";

/** A sync of the command, and the call before it, after which a write is made to fail. */
export interface FailingSync {
  readonly kind: Kind;
  readonly stopAt: TracedCall;
  readonly turn: number;
}

interface Prepared extends Place {
  readonly situation: Situation;
  readonly fileSystem: FileSystem;
  readonly disk: string;
  readonly image: string;
  readonly rawPath: string;
  readonly digest: string;
}

/** What the last command that ended well said the image is. */
type Claim = "source" | "source, byte for byte" | "target" | undefined;

const IMAGE = "disk.img";

export async function prepare(place: Place, fileSystem: FileSystem, situation: Situation): Promise<Prepared> {
  const { scratch, folder } = place;
  const { from, before } = situation;
  const { path: source, rawPath } = await makeQemuImage(scratch, {
    name: "source",
    format: from,
    virtualSize: 2 * 2 ** 20 + 512,
    options: qemuKitOf(from).smallOptions,
    contents: ["fragmented", "zeroed"],
  });
  await situation.damage?.(source);
  const disk = join(scratch, "prepared.disk");
  const image = join(folder, IMAGE);
  const prepared = { ...place, situation, fileSystem, disk, image, rawPath, digest: await fileDigest(source) };
  await makeDisk(fileSystem, disk);
  await mounted(prepared, disk, () => layImage(prepared, source));
  if (before === undefined) return prepared;
  const words = wordsOf(before.words, image);
  const calls = before.killedAt && (await onCopy(prepared, () => callsOf(words, scratch)));
  await mounted(prepared, disk, async () => {
    if (calls === undefined) return mustEnd(await runCommand(words), 0);
    const call = before.killedAt?.(calls);
    if (call === undefined) throw new Error(`${words.join(" ")} makes no such call`);
    const { exitCode } = await runInjected(words, { call: call.name, what: "signal=KILL", turn: call.turn });
    if (exitCode === 0) throw new Error("it was not killed");
  });
  return prepared;
}

/** With an inode number that the image of another run has hardly: locks are told apart by it where devices are hidden. */
async function layImage({ folder, image }: Prepared, source: string): Promise<void> {
  const others = Array.from({ length: process.pid % 3001 }, (_, at) => join(folder, `other-${at}`));
  for (const other of others) await writeFile(other, "");
  await copyFile(source, image);
  for (const other of others) await rm(other);
}

/** Every sync of the command, run to its end on a disk that is well. */
export async function syncsOf(prepared: Prepared): Promise<FailingSync[]> {
  const { image, situation, scratch } = prepared;
  const calls = await onCopy(prepared, () => callsOf(wordsOf(situation.words, image), scratch));
  return calls.flatMap(({ name, path, turn }, at): FailingSync[] => {
    const stopAt = calls[at - 1];
    if (name !== "fsync" || stopAt === undefined) return [];
    const since = calls.slice(0, at).findLastIndex((call) => call.name === "fsync" && call.path === path);
    const wrote = calls.slice(since + 1, at).some((call) => call.path === path && call.hostOffset === 0);
    const kind = path.includes(".inplace-") ? "journal" : path !== image ? "folder" : wrote ? "sector 0" : "image";
    return [{ kind, stopAt, turn }];
  });
}

/** Fails the n-th write behind the sync. Throws what went wrong; false where the command never came to know of a failed write. */
export async function trial(
  prepared: Prepared,
  { stopAt }: FailingSync,
  nth: number,
  recovery: Recovery,
): Promise<boolean> {
  const { scratch, image, situation, disk: source } = prepared;
  const disk = join(scratch, "failing.disk");
  const after = join(scratch, "after.disk");
  copyDisk(source, disk);
  const device = await FailingDevice.start(disk, scratch);
  try {
    let hasFailed = false;
    let claim: Claim;
    let said = "";
    await mounted(prepared, device.path, async () => {
      const words = wordsOf(situation.words, image);
      const first = await runStopped(words, stopAt, scratch, () => device.failWrite(nth));
      await device.mend();
      ({ hasFailed } = first);
      said = `${words[0]}: exit ${first.exitCode}: ${first.said}`;
      const isUntouched = first.exitCode === 1 && situation.before === undefined;
      claim = first.exitCode === 0 ? claimOf(situation, words[0] as string, first) : isUntouched ? BYTES : undefined;
      if (claim === undefined && first.exitCode !== 4 && first.exitCode !== 1) throw new Error(said);
      if (first.exitCode !== 0) {
        const [recovered, told] = await recover(prepared, recovery, !(await isWritable(prepared)));
        said += `; ${told}`;
        claim = recovered ?? claim;
      }
      // What has reached the disk by now is what a power cut leaves.
      copyDisk(disk, after);
    });
    await telling(`a power cut after ${said}`, () => mounted(prepared, after, () => judge(prepared, claim)));
    await telling(`a remount after ${said}`, () =>
      mounted(prepared, device.path, () => mustEndWell(prepared, claim, recovery)),
    );
    return hasFailed;
  } finally {
    await device.stop();
  }
}

const BYTES = "source, byte for byte";

function claimOf({ from, to, words }: Situation, command: string, { said }: Ending): Claim {
  if (command !== "rollback") return "target";
  // Once a conversion's undo is given up, rollback converts back: the same guest in another layout.
  const isExact = said.includes("byte for byte") || from === to || words[0] === "rollback";
  return isExact ? BYTES : "source";
}

/** What it claims, undefined where there was nothing to do, or where `mayFail` and it could not be done; and its words. */
async function recover({ image, situation }: Prepared, wish: Recovery, mayFail: boolean): Promise<[Claim, string]> {
  const ending = await runCommand([wish, image]);
  const told = `${wish}: exit ${ending.exitCode}: ${ending.said}`;
  if (ending.exitCode === 0) return [claimOf(situation, wish, ending), told];
  if (ending.exitCode === 1 && /nothing to (resume|roll back)/i.test(ending.said)) return [undefined, told];
  if (wish === "rollback" && /undo given up/.test(ending.said)) {
    const [claim, more] = await recover({ image, situation } as Prepared, "resume", mayFail);
    return [claim, `${told}; ${more}`];
  }
  if (!mayFail) throw new Error(told);
  return [undefined, told];
}

/** A file system whose own journal could not be written takes nothing more until it is mounted anew. */
async function isWritable({ folder }: Prepared): Promise<boolean> {
  const probe = join(folder, "probe");
  try {
    await writeFile(probe, "");
    await rm(probe);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EROFS" || (error as NodeJS.ErrnoException).code === "EIO")
      return false;
    throw error;
  }
}

/** The guest is whole, and the image what was claimed. */
async function judge({ image, situation, rawPath, digest }: Prepared, claim: Claim): Promise<void> {
  const { from, to } = situation;
  const format = (await info(image)).format;
  if (format !== from && format !== to) throw new Error(`the file opens as ${format}`);
  await assertSame(image, format, rawPath);
  if (claim === undefined) return;
  if (format !== (claim === "target" ? to : from)) throw new Error(`the file opens as ${format}`);
  if (claim === BYTES && (await fileDigest(image)) !== digest)
    throw new Error("the file is not the source byte for byte");
  if (claim !== BYTES) await assertClean(image, format);
}

/** After the restart: what was claimed is there, what was not is brought to an end, and nothing is left. */
async function mustEndWell(prepared: Prepared, claim: Claim, recovery: Recovery): Promise<void> {
  await judge(prepared, claim);
  const [more, told] = await recover(prepared, recovery, false);
  if (claim !== undefined && more !== undefined) throw new Error(`there was something left for ${told}`);
  await telling(told, () => judge(prepared, more ?? claim));
  const left = (await readdir(prepared.folder)).filter((name) => name.startsWith(`${IMAGE}.inplace`));
  if (left.length > 0) throw new Error(`it left ${left.join(", ")}`);
}

function wordsOf(words: readonly string[], image: string): string[] {
  return words.map((word) => (word === "IMAGE" ? image : word));
}

async function callsOf(words: readonly string[], scratch: string): Promise<TracedCall[]> {
  const [ending, calls] = await traceCommand(words, scratch);
  mustEnd(ending, 0);
  return calls;
}

function mustEnd({ exitCode, said }: Ending, wanted: number): void {
  if (exitCode !== wanted) throw new Error(`exit ${exitCode}: ${said}`);
}

async function telling(where: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

async function onCopy<T>(prepared: Prepared, act: () => Promise<T>): Promise<T> {
  const disk = join(prepared.scratch, "copy.disk");
  copyDisk(prepared.disk, disk);
  return mounted(prepared, disk, act);
}

async function mounted<T>({ fileSystem, folder }: Prepared, disk: string, act: () => Promise<T>): Promise<T> {
  fileSystem.mount(disk, folder, "");
  const unmount = guarded(
    () => fileSystem.unmount(folder, ""),
    // What this process started may still have files open there.
    () => execFileSync("umount", ["--lazy", folder]),
  );
  try {
    return await act();
  } finally {
    unmount();
  }
}
