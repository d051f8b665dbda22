/** One runner for all suites; `scripts/test.ts` gives the folder and the reporters. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // No test takes more than a few seconds; this only ends one that hangs, on however slow a machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
