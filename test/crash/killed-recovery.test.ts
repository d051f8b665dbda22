/** The real `resume` and `rollback` of a kept undo, ended by strace at each of their calls, then one of them again. */

import { copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fewOf, qemuKitOf, qemuPairs } from "../formats/kits.ts";
import { makeQemuImage, type QemuImage } from "../support/qemu-images.ts";
import { assertClean, assertSame, fileDigest, info } from "../support/qemu-tools.ts";
import { runCommand, runInjected, type TracedCall, traceCommand } from "../support/traced-command.ts";

interface Scene {
  readonly from: string;
  readonly to: string;
  readonly recovery: "resume" | "rollback";
  readonly source: QemuImage;
  readonly original: string;
  /** The folder with the converted image and its undo. */
  readonly place: string;
  readonly calls: readonly TracedCall[];
}

const FILES = ["disk.img", "disk.img.inplace-undo"] as const;
const folder = await mkdtemp(join(tmpdir(), "inplace-killed-"));
afterAll(() => rm(folder, { recursive: true }));

/** Image and undo may be copied together: nothing in the undo depends on where they lie. */
async function copyScene(place: string, name: string): Promise<string> {
  const to = join(folder, name);
  await mkdir(to);
  for (const file of FILES) await copyFile(join(place, file), join(to, file));
  return to;
}

async function scenesOf(from: string, to: string): Promise<Scene[]> {
  const place = join(folder, `${from}-to-${to}`);
  await mkdir(place);
  const source = await makeQemuImage(place, {
    name: "source",
    format: from,
    virtualSize: 500 * 1024 + 512,
    options: qemuKitOf(from).smallOptions,
    contents: ["fragmented", "zeroed"],
  });
  const image = join(place, "disk.img");
  await copyFile(source.path, image);
  const { exitCode, said } = await runCommand(["convert", image, to, "--keep-undo"]);
  if (exitCode !== 0) throw new Error(`Cannot convert undisturbed: ${said}`);
  const original = await fileDigest(source.path);
  const scenes: Scene[] = [];
  for (const recovery of ["resume", "rollback"] as const) {
    const trial = await copyScene(place, `${from}-to-${to}-${recovery}`);
    const [ending, calls] = await traceCommand([recovery, join(trial, "disk.img")], trial);
    if (ending.exitCode !== 0) throw new Error(`Cannot ${recovery} undisturbed: ${ending.said}`);
    scenes.push({ from, to, recovery, source, original, place, calls });
  }
  return scenes;
}

const scenes: Scene[] = [];
for (const { from, to } of fewOf(qemuPairs)) scenes.push(...(await scenesOf(from.name, to.name)));

describe.concurrent.each(scenes)("$recovery of $from converted to $to", (scene) => {
  const { from, to, recovery, source, original, place, calls } = scene;
  const kills = calls.map((call, at) => ({ ...call, at, next: at % 2 === 0 ? "resume" : "rollback" }));
  // Every second one, resumed and rolled back by turns; all of them with KILLS=all.
  const tried = kills.filter(({ at }) => process.env.KILLS === "all" || at % 4 < 2);
  it.each(tried)("killed at $name $turn, then $next", async ({ name, turn, at, next }) => {
    const own = await copyScene(place, `${from}-to-${to}-${recovery}-${at}`);
    const image = join(own, "disk.img");
    const formatOf = async (): Promise<string> => {
      const format = (await info(image)).format;
      await assertSame(image, format, source.rawPath);
      return format;
    };
    const killed = await runInjected([recovery, image], { call: name, what: "signal=KILL", turn });
    expect(killed.exitCode).not.toBe(0);
    expect([from, to]).toContain(await formatOf());
    const { exitCode, said } = await runCommand([next, image]);
    const isNothing = /^Nothing to|[Nn]othing to (resume|roll back)/m.test(said);
    expect({ exitCode, said }).toEqual({ exitCode: isNothing ? 1 : 0, said });
    expect(await readdir(own)).toEqual(["disk.img"]);
    const format = await formatOf();
    // Where nothing was left to do the killed command had come to its end.
    expect(format).toBe((isNothing ? recovery : next) === "resume" ? to : from);
    if (format === from && recovery === "rollback") expect(await fileDigest(image)).toBe(original);
    await assertClean(image, format);
    await rm(own, { recursive: true });
  });
});
