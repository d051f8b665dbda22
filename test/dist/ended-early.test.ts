/** A process that finds nothing more to wait for ends as if all were done: it must say that it is not. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDemoImages } from "../support/demo-qed.ts";
import { NEVER_OPENS } from "../support/never-opens.ts";
import { cli, scratchFolder, spawnNode } from "./spawn.ts";

test("a command: exit 4, and what goes on", () => {
  const folder = scratchFolder();
  makeDemoImages(folder);
  const preload = join(folder, "preload.mjs");
  writeFileSync(preload, NEVER_OPENS);
  const words = ["--import", preload, cli, "convert", "original.qed", "qcow2"];
  const { exitCode, stdout, stderr } = spawnNode(words, folder);
  expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
  expect(stderr).toContain("it ended before its work did");
});
