/** One runner for all suites; `scripts/test.ts` gives the folder and the reporters. */

import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { pathWithChosenQemu } from "./scripts/chosen-qemu.ts";

// Inherited by the tests and by all that they start.
process.env.PATH = pathWithChosenQemu();

/**
 * Files that share what is loaded once: half the time of many small ones. Not what replaces a module, nor what starts many
 * processes: the larger the one that starts them, the longer each takes.
 */
const SHARING = "test/{unit,property,crash,fuzz}/**/*.test.ts";
const mocking = globSync("test/**/*.test.ts", { cwd: import.meta.dirname }).filter((path) =>
  readFileSync(`${import.meta.dirname}/${path}`, "utf8").includes("vi.mock("),
);

export default defineConfig({
  test: {
    // One more than cores: the runner itself has next to nothing to do, and tests wait for the disk now and then.
    maxWorkers: availableParallelism() + 1,
    // No test takes more than a few seconds; this only ends one that hangs, on however slow a machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "shared", include: [SHARING], exclude: mocking, isolate: false } },
      {
        extends: true,
        test: { name: "own", include: [...mocking, "test/{acquire,oracle,dist,action,examples}/**/*.test.ts"] },
      },
    ],
  },
});
