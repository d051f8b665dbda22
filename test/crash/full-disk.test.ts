/** The real command on file systems that run full, at every stage of each path; `npm run full-disks` takes all of them. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { realPaths } from "../support/real-paths.ts";
import { mayMount } from "../support/small-disk.ts";

const script = fileURLToPath(new URL("../../scripts/full-disks.ts", import.meta.url));
const execute = promisify(execFile);

async function fullDisks(words: readonly string[]): Promise<string[]> {
  const [program, ...rest] = [...mayMount(), process.execPath, script, ...words] as [string, ...string[]];
  try {
    return (await execute(program, rest, { encoding: "utf8" })).stdout.trim().split("\n");
  } catch (error) {
    const { message, stdout = "" } = error as Error & { readonly stdout?: string };
    throw new Error(`${message}\n${stdout}`, { cause: error });
  }
}

/** How often a word is said in all lines. */
function counted(lines: readonly string[], outcome: string): number {
  return lines.reduce((sum, line) => sum + Number(new RegExp(`${outcome} (\\d+)`).exec(line)?.[1] ?? 0), 0);
}

/** How long it takes decides nothing. */
const timeout = 900_000;

test("full at any stage: its word is true, the guest whole, and with room it goes on or back", {
  timeout,
}, async () => {
  const lines = await fullDisks(["--kind", "tmpfs", "--seed", "1", "--sizes", "1", "--stops", "2"]);
  console.log(lines.join("\n"));
  expect(lines).toHaveLength(realPaths().length);
  expect(counted(lines, "refused")).toBeGreaterThan(0);
  expect(counted(lines, "journal stands")).toBeGreaterThan(lines.length / 2);
  expect(["done", "refused", "put back", "journal stands"].reduce((sum, each) => sum + counted(lines, each), 0)).toBe(
    3 * lines.length,
  );
});
