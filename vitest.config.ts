/** One runner for all suites; `scripts/test.ts` gives the folder and the reporters. */

import { defineConfig } from "vitest/config";
import { pathWithChosenQemu } from "./scripts/chosen-qemu.ts";

// Inherited by the tests and by all that they start.
process.env.PATH = pathWithChosenQemu();

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // No test takes more than a few seconds; this only ends one that hangs, on however slow a machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
