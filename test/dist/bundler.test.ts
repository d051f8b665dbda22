/** The library taken into somebody's own bundle, without the file that its threads begin with. */

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root, scratchFolder, spawnNode } from "./spawn.ts";

/** So much data that it is hashed on threads wherever there are some. */
const LENGTH = 65 * 1024 ** 2;
const PROGRAM = `
  import { checksum, convert, plan, UsageError } from "./index.mjs";
  const run = async () => {
    const { checksum: before } = await checksum("disk", { format: "raw" });
    const { report: planned } = await plan("disk", "qcow2", { format: "raw" });
    const report = await convert("disk", "qcow2", { format: "raw" });
    const wrong = await checksum("disk", { algorithm: "md5" }).catch((error) => error);
    return [before === report.guestChecksum.after, planned.refused.length === 0, wrong instanceof UsageError];
  };
  run().then((told) => console.log(JSON.stringify(told)), (error) => console.error(error.message));
`;

test.each(["esm", "cjs"] as const)("a bundle of %s converts and proves", async (format) => {
  const folder = scratchFolder();
  mkdirSync(join(folder, "out"));
  const outfile = join(folder, "out", format === "esm" ? "app.mjs" : "app.cjs");
  const stdin = { contents: PROGRAM, resolveDir: join(root, "dist") };
  // It warns that CommonJS has no import.meta, which is what this is about.
  await build({ stdin, bundle: true, platform: "node", format, outfile, logLevel: "error" });
  expect(readdirSync(join(folder, "out"))).toHaveLength(1);
  writeFileSync(join(folder, "disk"), Buffer.alloc(LENGTH, "a line of the guest's\n"));
  expect(spawnNode([outfile], folder)).toEqual({ exitCode: 0, stdout: "[true,true,true]\n", stderr: "" });
});
