/** What is said of a kept undo: which names it needs. */

import { expect, test } from "vitest";
import { afterRecovery, undoLines } from "../../../src/cli/next-steps.ts";
import type { RecoveryReport } from "../../../src/index.ts";

test("an undo goes with the image's name, and where a descriptor came or went it needs the names as they are", () => {
  expect(undoLines("d.qed", "inplace-convert")[0]).toMatch(/whoever renames the image renames that too$/);
  const [names, , back] = undoLines("d.raw", "inplace-convert", undefined, true);
  expect(names).toMatch(/d.raw.inplace-undo; the disk, and a descriptor that came, must keep their names for it$/);
  expect(back).toBe("  inplace-convert rollback d.raw");
});

test.each<[string, Partial<RecoveryReport>, string | undefined]>([
  ["a finished conversion", {}, "mv -n 'my disk.qed' 'my disk.qcow2'"],
  ["a name that fits", { image: "disk.QCOW2" }, undefined],
  ["a name that promises nothing", { image: "disk" }, undefined],
  ["one that was put back", { outcome: "rolled-back", format: "qed" }, undefined],
  [
    "one that was renamed, then put back",
    { image: "a.qcow2", outcome: "rolled-back", format: "qed" },
    "mv -n a.qcow2 a.qed",
  ],
  ["any image called .img, put back", { image: "a.img", outcome: "rolled-back", format: "qed" }, undefined],
  [
    "a disk that a descriptor names",
    { format: "vmdk", image: "a.raw", imageAfter: "a.vmdk", diskFile: "a.raw" },
    undefined,
  ],
])("after a recovery the new name is told: %s", (_what, report, command) => {
  const plain = { image: "my disk.qed", format: "qcow2", outcome: "resumed", message: "", notes: [] } as const;
  const rows = afterRecovery({ ...plain, sourceFormat: "qed", ...report });
  expect(rows.find(([name]) => name === "to rename")?.[1] || undefined).toBe(command);
});

test("after a recovery: nothing of a repair's name, and what a descriptor is called", () => {
  const told = { image: "a.img", format: "qcow2", outcome: "resumed", message: "", notes: [] } as const;
  expect(afterRecovery(told).map(([, text]) => text)).toEqual(["", ""]);
  expect(afterRecovery({ ...told, imageAfter: "a.vmdk" })[0]).toEqual(["image", "a.vmdk from now on"]);
});
