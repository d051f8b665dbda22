/** One runner for all suites; `scripts/test.ts` gives the folder and the reporters. */

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { pathWithChosenQemu } from "./scripts/chosen-qemu.ts";

// Inherited by the tests and by all that they start.
process.env.PATH = pathWithChosenQemu();

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // One for each of two cores: left alone the runner keeps one core for itself, which has next to nothing to do.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // No test takes more than a few seconds; this only ends one that hangs, on however slow a machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
