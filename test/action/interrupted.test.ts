/** The step killed, cancelled, or met by an image that another run left open: `post` and `on-interrupted`. */

import { copyFileSync, existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { unfinished } from "../../src/index.ts";
import { type Ended, Runner, tool } from "./runner.ts";

const TO_QCOW2 = { image: "disk.qed", "target-format": "qcow2" } as const;
const TO_QED = { image: "disk.qcow2", "target-format": "qed" } as const;
/** The lock, the journal, the new tables, "prepared", then the commit. */
const AT_COMMIT = 5;

describe("killed at a write: post puts the source back, or finishes from `verified` on", () => {
  type Writes = Awaited<ReturnType<Runner["writesOfMain"]>>;
  let known: Writes | undefined;
  async function writesOfConversion(): Promise<Writes> {
    const runner = new Runner();
    runner.makeImage("disk.qcow2", "qcow2");
    return runner.writesOfMain({ ...TO_QED, rename: "false" });
  }

  /** The index of the first image write after so many journal records. */
  function imageWriteAfter(records: number, writes: Writes): number {
    const last = writes.flatMap((to, index) => (to === "journal" ? [index] : []))[records - 1];
    return writes.indexOf("image", last);
  }

  test.each([
    ["the journal's own", (writes: Writes) => writes.indexOf("journal"), "none"],
    ["the first of the new tables", (writes: Writes) => imageWriteAfter(1, writes), "open"],
    ["the commit", (writes: Writes) => imageWriteAfter(2, writes), "open"],
    ["the record of the verification", (writes: Writes) => imageWriteAfter(3, writes) - 1, "open"],
    ["the first of settling", (writes: Writes) => imageWriteAfter(3, writes), "verified"],
    ["the last", (writes: Writes) => writes.lastIndexOf("image"), "verified"],
  ] as const)("%s", async (_, indexOf, expected) => {
    known ??= await writesOfConversion();
    // strace counts from one.
    const when = indexOf(known) + 1;
    const runner = new Runner();
    const guest = runner.makeImage("disk.qcow2", "qcow2");
    const original = runner.sha256("disk.qcow2");
    const { exitCode } = await runner.main({ ...TO_QED, rename: "false" }, { call: "pwrite64", signal: "KILL", when });
    expect(exitCode).not.toBe(0);
    expect(await unfinished(runner.path("disk.qcow2"))).toBe(expected);
    // It is a whole image before any recovery.
    expect(runner.guestDigest("disk.qcow2")).toBe(guest);

    expect(await runner.post()).toMatchObject({ exitCode: 0 });
    expect(runner.names).toEqual(["disk.qcow2"]);
    expect(runner.guestDigest("disk.qcow2")).toBe(guest);
    if (expected === "verified") expect(runner.cleanFormat("disk.qcow2")).toBe("qed");
    else expect(runner.sha256("disk.qcow2")).toBe(original);
  });
});

test("killed with two images at work: post puts both back", async () => {
  const runner = new Runner();
  for (const name of ["a.qed", "b.qed"]) runner.makeImage(name, "qed");
  const before = [runner.sha256("a.qed"), runner.sha256("b.qed")];
  // The ninth of ten writes: the first commit, of whichever came first.
  await runner.main({ image: "*.qed", "target-format": "qcow2" }, { call: "pwrite64", signal: "KILL", when: 9 });
  expect(runner.names.filter((name) => name.endsWith("-journal"))).toHaveLength(2);
  const { exitCode, annotations } = await runner.post();
  expect(exitCode).toBe(0);
  expect(annotations.map(({ kind }) => kind)).toEqual(["notice", "notice"]);
  expect(runner.names).toEqual(["a.qed", "b.qed"]);
  expect([runner.sha256("a.qed"), runner.sha256("b.qed")]).toEqual(before);
});

test("post says so where someone wrote to the image since, and touches nothing", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  await runner.main(TO_QCOW2, { call: "pwrite64", signal: "KILL", when: AT_COMMIT + 1 });
  runner.cleanFormat("disk.qed");
  tool("qemu-io", "-f", "qcow2", "-c", "write -P 99 7M 64k", runner.path("disk.qed"));
  const written = runner.sha256("disk.qed");
  const { exitCode, annotations } = await runner.post();
  expect(exitCode).toBe(1);
  expect(annotations).toMatchObject([{ kind: "error", file: "disk.qed" }]);
  expect(annotations[0]?.message).toContain("inplace-convert resume");
  expect(runner.sha256("disk.qed")).toBe(written);
  expect(existsSync(runner.path("disk.qed.inplace-journal"))).toBe(true);
});

test.each(["INT", "TERM"] as const)("SIG%s: stops at a safe point, and post puts the image back", async (signal) => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const before = runner.sha256("disk.qed");
  const { exitCode, annotations, outputs, summary } = await runner.main(TO_QCOW2, { call: "fsync", signal, when: 1 });
  expect(exitCode).toBe(1);
  expect(annotations).toMatchObject([{ kind: "error", file: "disk.qed" }]);
  expect(annotations[0]?.message).toContain("The end of this job puts it back");
  expect(outputs).toMatchObject({ changed: "false" });
  expect(summary).toContain("1 image failed");
  expect(await runner.post()).toMatchObject({ exitCode: 0 });
  expect(runner.names).toEqual(["disk.qed"]);
  expect(runner.sha256("disk.qed")).toBe(before);
});

describe("an image found with a journal", () => {
  /** Killed right before the commit was durable, and no `post` ran. */
  async function leftOpen(): Promise<{ readonly runner: Runner; readonly guest: string; readonly killed: Ended }> {
    const runner = new Runner();
    const guest = runner.makeImage("disk.qed", "qed");
    const killed = await runner.main(TO_QCOW2, { call: "pwrite64", signal: "KILL", when: AT_COMMIT });
    expect(existsSync(runner.path("disk.qed.inplace-journal"))).toBe(true);
    return { runner, guest, killed };
  }

  test("fail: refused, and its journal is left to its owner, by post too", async () => {
    const { runner } = await leftOpen();
    const before = [runner.sha256("disk.qed"), runner.sha256("disk.qed.inplace-journal")];
    const second = new Runner();
    copyFileSync(runner.path("disk.qed"), second.path("disk.qed"));
    copyFileSync(runner.path("disk.qed.inplace-journal"), second.path("disk.qed.inplace-journal"));
    for (const dryRun of ["true", "false"]) {
      const { exitCode, annotations } = await second.main({ ...TO_QCOW2, "dry-run": dryRun });
      expect(exitCode).toBe(1);
      expect(annotations[0]?.message).toContain("set on-interrupted to resume or rollback");
    }
    await second.post();
    expect([second.sha256("disk.qed"), second.sha256("disk.qed.inplace-journal")]).toEqual(before);
  });

  test.each(["resume", "rollback"] as const)("%s: done first, then converted", async (onInterrupted) => {
    const { runner, guest } = await leftOpen();
    const { exitCode, outputs, summary } = await runner.main({ ...TO_QCOW2, "on-interrupted": onInterrupted });
    expect(exitCode).toBe(0);
    expect(runner.names).toEqual(["disk.qcow2"]);
    expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");
    expect(runner.guestDigest("disk.qcow2")).toBe(guest);
    expect(outputs).toMatchObject({ changed: "true", image: "disk.qcow2", format: "qcow2" });
    expect(JSON.parse(outputs.images ?? "")[0].recovery).toContain("disk.qed is");
    expect(summary).toContain("Before that");
    expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
  });
});
