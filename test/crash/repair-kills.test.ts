/** The real `check -r all`, ended or failed by strace at its writes, syncs and truncations; then resume or rollback. */

import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeSample, SAMPLES } from "../formats/qcow2/samples.ts";
import { assertClean, assertSame, fileDigest, run } from "../support/qemu-tools.ts";
import { type Injection, runCommand, runInjected, type TracedCall, traceCommand } from "../support/traced-command.ts";

const folder = await mkdtemp(join(tmpdir(), "inplace-repair-kills-"));
afterAll(() => rm(folder, { recursive: true }));

const damaged = join(folder, "damaged.qcow2");
const rawPath = join(folder, "guest.raw");
const calls = await damage();
const original = await fileDigest(damaged);

/** Refcounts that have to be made anew, past the end, and the dirty bit; returns the calls that mend it. */
async function damage(): Promise<TracedCall[]> {
  const sample = SAMPLES.find(({ name }) => name === "cluster-4k-refcount-8") as (typeof SAMPLES)[number];
  const made = makeSample(folder, sample);
  await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", made, rawPath]);
  const bytes = await readFile(made);
  bytes.writeBigUInt64BE(0n, Number(bytes.readBigUInt64BE(48)));
  bytes[79] = 1;
  await writeFile(damaged, bytes);
  const image = join(folder, "disk.img");
  await copyFile(damaged, image);
  const [{ exitCode, said }, traced] = await traceCommand(["check", "-r", "all", image], folder);
  if (exitCode !== 0) throw new Error(`Cannot repair undisturbed: ${said}`);
  await assertClean(image, "qcow2");
  await assertSame(image, "qcow2", rawPath);
  return traced;
}

/** A fresh copy in a folder of its own, `act` on it, the folder gone. */
async function withImage(name: string, act: (image: string, left: () => Promise<string[]>) => Promise<void>) {
  const place = join(folder, name);
  await mkdir(place);
  const image = join(place, "disk.img");
  await copyFile(damaged, image);
  await act(image, async () => (await readdir(place)).filter((other) => other !== "disk.img").sort());
  await rm(place, { recursive: true });
}

describe.concurrent("check -r all", () => {
  it("makes the calls that it is to be killed at", () => {
    const changed = calls.filter(({ path }) => path.endsWith("disk.img")).map(({ name }) => name);
    expect(changed.filter((name) => name === "pwrite64").length).toBeGreaterThan(2);
    expect(changed.filter((name) => name === "fsync").length).toBeGreaterThan(2);
  });

  const kills = calls.map((call, at) => ({ ...call, at, recovery: at % 2 === 0 ? "resume" : "rollback" }));
  it.each(kills)("killed at $name $turn, then $recovery", async ({ name, turn, at, recovery }) => {
    await withImage(`kill-${at}`, async (image, left) => {
      const killed = await runInjected(["check", "-r", "all", image], { call: name, what: "signal=KILL", turn });
      expect(killed.exitCode).not.toBe(0);
      await assertSame(image, "qcow2", rawPath);
      const { exitCode, said } = await runCommand([recovery, image]);
      const isNothing = /^Nothing to|[Nn]othing to (resume|roll back)/m.test(said);
      const isGivenUp = recovery === "rollback" && /undo given up/.test(said);
      expect({ exitCode, said }).toEqual({ exitCode: isNothing ? 1 : isGivenUp ? 4 : 0, said });
      if (isGivenUp) expect((await runCommand(["resume", image])).exitCode).toBe(0);
      expect(await left()).toEqual([]);
      await assertSame(image, "qcow2", rawPath);
      const isOld = (await fileDigest(image)) === original;
      if (!isNothing) expect(isOld).toBe(recovery === "rollback" && !isGivenUp);
      if (!isOld) await assertClean(image, "qcow2");
    });
  });

  const syncs = calls.filter(({ name }) => name === "fsync");
  const writes = calls.filter(({ name }) => name === "pwrite64");
  const faults: Injection[] = [
    ...writes.map(({ turn }): Injection => ({ call: "pwrite64", turn, what: "error=ENOSPC", andLater: true })),
    ...syncs.map(({ turn }): Injection => ({ call: "fsync", turn, what: "error=EIO", andLater: false })),
  ];
  it.each(faults)("$what at $call $turn", async (fault) => {
    await withImage(`${fault.what}-${fault.call}-${fault.turn}`, async (image, left) => {
      const { exitCode, said } = await runInjected(["check", "-r", "all", image], fault);
      await assertSame(image, "qcow2", rawPath);
      if (exitCode === 1) {
        expect(await fileDigest(image)).toBe(original);
        expect(await left()).toEqual([]);
        return;
      }
      expect({ exitCode, said }).toEqual({
        exitCode: 4,
        said: expect.stringMatching(/journal stands\n(?:.*\n)*To finish:\n {2}.* resume /),
      });
      // Where only the removal of the journal could not be made durable, it is gone.
      const isGone = (await left()).length === 0;
      const resumed = await runCommand(["resume", image]);
      expect(resumed).toEqual({ ...resumed, exitCode: isGone ? 1 : 0 });
      expect(await left()).toEqual([]);
      await assertSame(image, "qcow2", rawPath);
      await assertClean(image, "qcow2");
    });
  });
});
