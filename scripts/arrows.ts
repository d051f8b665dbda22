/** `npm run arrows [-- --check]`: writes what the linter has of `scripts/arrows/house.ts`, or says that it has something else. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { overrides } from "./arrows/linter.ts";

const path = fileURLToPath(new URL("./arrows/arrows.json", import.meta.url));
const text = `${JSON.stringify({ overrides: overrides() }, null, 1)}\n`;
if (!process.argv.includes("--check")) {
  writeFileSync(path, text);
} else if (readFileSync(path, "utf8") !== text) {
  console.error("scripts/arrows/arrows.json does not say what house.ts beside it does: npm run arrows");
  process.exitCode = 1;
}
