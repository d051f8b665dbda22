/**
 * The real command, ended or failed by strace at each of its writes, syncs, truncates and removals.
 *
 * Before any recovery QEMU opens the file and sees the same guest; then `resume` ends at the target, `rollback` at
 * the old bytes (once the undo was given up: the same guest in the old format, clean).
 */

import { copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fewOf, qemuKitOf, qemuPairs } from "../formats/kits.ts";
import { makeQemuImage, type QemuImage } from "../support/qemu-images.ts";
import { assertClean, assertSame, fileDigest, info } from "../support/qemu-tools.ts";
import { type Injection, runCommand, runInjected, type TracedCall, traceCommand } from "../support/traced-command.ts";

interface Way {
  readonly from: string;
  readonly to: string;
  readonly source: QemuImage;
  readonly original: string;
  readonly calls: readonly TracedCall[];
  /** The call that writes "undo given up": kills at it or before it leave a way back to the very bytes. */
  readonly givesUndoUp: number;
}

const folder = await mkdtemp(join(tmpdir(), "inplace-kills-"));
afterAll(() => rm(folder, { recursive: true }));
const ways: Way[] = [];
for (const { from, to } of fewOf(qemuPairs)) ways.push(await traced(from.name, to.name));

/** The calls of a conversion that nobody disturbs. */
async function traced(from: string, to: string): Promise<Way> {
  const place = join(folder, `${from}-to-${to}`);
  await mkdir(place);
  const source = await makeQemuImage(place, {
    name: "source",
    format: from,
    virtualSize: 700 * 1024 + 512,
    options: qemuKitOf(from).smallOptions,
    contents: ["fragmented", "zeroed"],
  });
  const image = join(place, "disk.img");
  await copyFile(source.path, image);
  const [{ exitCode, said }, calls] = await traceCommand(["convert", image, to], place);
  if (exitCode !== 0) throw new Error(`Cannot convert undisturbed: ${said}`);
  await assertClean(image, to);
  const journalWrites = calls.flatMap(({ name, path }, at) =>
    name === "pwrite64" && /\.inplace-(?:journal|draft)$/.test(path) ? [at] : [],
  );
  const givesUndoUp = journalWrites[2] ?? calls.length;
  return { from, to, source, original: await fileDigest(source.path), calls, givesUndoUp };
}

describe.concurrent.each(ways)("$from to $to", (way) => {
  const { from, to, source, original, calls, givesUndoUp } = way;

  /** A fresh copy in a folder of its own, `act` on it, the folder gone. */
  async function withImage(name: string, act: (image: string, left: () => Promise<string[]>) => Promise<void>) {
    const place = join(folder, `${from}-to-${to}-${name}`);
    await mkdir(place);
    const image = join(place, "disk.img");
    await copyFile(source.path, image);
    await act(image, async () => (await readdir(place)).filter((other) => other !== "disk.img").sort());
    await rm(place, { recursive: true });
  }

  async function formatOf(image: string): Promise<string> {
    const { format } = await info(image);
    await assertSame(image, format, source.rawPath);
    return format;
  }

  it("makes every kind of call", () => {
    expect(new Set(calls.map(({ name }) => name))).toEqual(new Set(["pwrite64", "ftruncate", "fsync", "unlink"]));
    expect(calls.length).toBeGreaterThan(15);
  });

  const kills = calls.map((call, at) => ({ ...call, at, recovery: at % 2 === 0 ? "resume" : "rollback" }));
  it.each(kills)("killed at $name $turn, then $recovery", async ({ name, turn, at, recovery }) => {
    await withImage(`kill-${at}`, async (image, left) => {
      const killed = await runInjected(["convert", image, to], { call: name, what: "signal=KILL", turn });
      expect(killed.exitCode).not.toBe(0);
      expect([from, to]).toContain(await formatOf(image));
      const isOpen = (await left()).includes("disk.img.inplace-journal");
      const { exitCode, said } = await runCommand([recovery, image]);
      const isNothing = /^Nothing to|[Nn]othing to (resume|roll back)/m.test(said);
      expect({ exitCode, said }).toEqual({ exitCode: isNothing ? 1 : 0, said });
      expect(await left()).toEqual([]);
      const format = await formatOf(image);
      if (isNothing) {
        // Either the first byte was never written, or the last: all that is left to do was to tidy up.
        if (format === from) expect(await fileDigest(image)).toBe(original);
      } else {
        expect(isOpen).toBe(true);
        expect(format).toBe(recovery === "resume" ? to : from);
      }
      if (format === from && at <= givesUndoUp) expect(await fileDigest(image)).toBe(original);
      await assertClean(image, format);
    });
  });

  const writes = calls.filter(({ name }) => name === "pwrite64" || name === "ftruncate");
  const syncs = calls.filter(({ name }) => name === "fsync");
  const fault = ({ name, turn }: TracedCall, what: Injection["what"], andLater: boolean): Injection => ({
    call: name,
    turn,
    what,
    andLater,
  });
  const faults: Injection[] = [
    ...writes.map((call) => fault(call, "error=ENOSPC", true)),
    ...writes.map((call) => fault(call, "error=EIO", false)),
    ...syncs.map((call) => fault(call, "error=EIO", false)),
  ];
  const lastSync = faults.at(-1);
  // Every fourth one, and the last; all of them with KILLS=all.
  const tried = faults.filter((fault, at) => process.env.KILLS === "all" || at % 4 === 0 || fault === lastSync);
  it.each(tried)("$what at $call $turn, later ones too: $andLater", async (fault) => {
    await withImage(`${fault.what}-${fault.call}-${fault.turn}-${fault.andLater}`, async (image, left) => {
      const { exitCode, said } = await runInjected(["convert", image, to], fault);
      const format = await formatOf(image);
      if (exitCode === 1) {
        expect(await fileDigest(image)).toBe(original);
        expect(await left()).toEqual([]);
        return;
      }
      expect({ exitCode, said }).toEqual({
        exitCode: 4,
        said: expect.stringMatching(/journal stands\n(?:.*\n)*To finish:\n {2}.* resume /),
      });
      expect([from, to]).toContain(format);
      // Where only the removal of the journal could not be made durable, it may be gone or come back.
      const isGone = (await left()).length === 0;
      expect(isGone ? fault : await left()).toEqual(isGone ? lastSync : ["disk.img.inplace-journal"]);
      const resumed = await runCommand(["resume", image]);
      expect(resumed).toEqual({ ...resumed, exitCode: isGone ? 1 : 0 });
      expect(await left()).toEqual([]);
      expect(await formatOf(image)).toBe(to);
      await assertClean(image, to);
    });
  });
});
