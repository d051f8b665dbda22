/** The commands whose writes fail in `scripts/failed-writes.ts`, and the images that they meet. */

import { qcow2Places } from "../test/formats/qcow2/places.ts";
import { patch } from "../test/support/patched-image.ts";
import type { TracedCall } from "../test/support/traced-command.ts";
import type { Situation } from "./failed-write-trials.ts";

const toQcow2 = { from: "qed", to: "qcow2" } as const;
const toQed = { from: "qcow2", to: "qed" } as const;
const repaired = { from: "qcow2", to: "qcow2", damage: miscount } as const;
const CLUSTER = 4096;

export const failedWriteSituations: readonly Situation[] = [
  { ...toQcow2, name: "convert, QED to qcow2", words: ["convert", "IMAGE", "qcow2"] },
  { ...toQed, name: "convert, qcow2 to QED, settled", words: ["convert", "IMAGE", "qed"] },
  {
    ...toQcow2,
    name: "rollback over a kept undo, QED to qcow2",
    before: { words: ["convert", "IMAGE", "qcow2", "--keep-undo"] },
    words: ["rollback", "IMAGE"],
  },
  {
    ...toQed,
    name: "rollback over a kept undo, qcow2 to QED",
    before: { words: ["convert", "IMAGE", "qed", "--keep-undo"] },
    words: ["rollback", "IMAGE"],
  },
  {
    ...toQed,
    name: "resume that gives up a kept undo, qcow2 to QED",
    before: { words: ["convert", "IMAGE", "qed", "--keep-undo"] },
    words: ["resume", "IMAGE"],
  },
  {
    ...toQcow2,
    name: "resume, killed at the commit, QED to qcow2",
    before: { words: ["convert", "IMAGE", "qcow2"], killedAt: commitOf },
    words: ["resume", "IMAGE"],
  },
  {
    ...toQed,
    name: "resume, killed after the commit, qcow2 to QED",
    before: { words: ["convert", "IMAGE", "qed"], killedAt: afterCommit },
    words: ["resume", "IMAGE"],
  },
  {
    ...toQed,
    name: "rollback, killed after the commit, qcow2 to QED",
    before: { words: ["convert", "IMAGE", "qed"], killedAt: afterCommit },
    words: ["rollback", "IMAGE"],
  },
  { ...repaired, name: "check -r all", words: ["check", "-r", "all", "IMAGE"] },
  {
    ...repaired,
    name: "rollback of a repair, its undo kept",
    before: { words: ["check", "-r", "all", "IMAGE", "--keep-undo"] },
    words: ["rollback", "IMAGE"],
  },
  {
    ...repaired,
    name: "resume of a repair, killed at its last write",
    before: { words: ["check", "-r", "all", "IMAGE"], killedAt: lastWriteOf },
    words: ["resume", "IMAGE"],
  },
];

/** The write of sector 0 that makes the file the target's. */
function commitOf(calls: readonly TracedCall[]): TracedCall | undefined {
  return calls.find((call) => isOfImage(call) && call.hostOffset === 0);
}

function afterCommit(calls: readonly TracedCall[]): TracedCall | undefined {
  const commit = calls.indexOf(commitOf(calls) as TracedCall);
  return calls.slice(commit).find(({ name, path }) => name === "pwrite64" && path.includes(".inplace-"));
}

function lastWriteOf(calls: readonly TracedCall[]): TracedCall | undefined {
  return calls.findLast((call) => call.name === "pwrite64" && isOfImage(call));
}

function isOfImage({ path }: TracedCall): boolean {
  return path.endsWith("disk.img");
}

/** A refcount too low and one too high, and the dirty bit. */
function miscount(image: string): Promise<void> {
  return patch(image, "qcow2", (bytes) => {
    const [block, l1, l2] = [qcow2Places.refcountBlock(bytes), qcow2Places.l1(bytes), qcow2Places.l2(bytes)];
    bytes.write(block + (l1 / CLUSTER) * 2, 0, 2);
    bytes.write(block + (l2 / CLUSTER) * 2, 5, 2);
    bytes.write(79, 1, 1);
  });
}
