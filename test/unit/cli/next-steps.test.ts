/** What is said of a kept undo: which names it needs. */

import { expect, test } from "vitest";
import { undoLines } from "../../../src/cli/next-steps.ts";

test("an undo goes with the image's name, and where a descriptor came or went it needs the names as they are", () => {
  expect(undoLines("d.qed", "inplace-convert")[0]).toMatch(/whoever renames the image renames that too$/);
  const [names, , back] = undoLines("d.raw", "inplace-convert", undefined, true);
  expect(names).toMatch(/d.raw.inplace-undo; the disk, and a descriptor that came, must keep their names for it$/);
  expect(back).toBe("  inplace-convert rollback d.raw");
});
