/** $GITHUB_ARTIFACTS as the action fills it: by a conversion that went well, and by nothing else. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Runner } from "./runner.ts";

test("results of a conversion are declared, none of a check, a dry run or a step that fails", async () => {
  const runner = new Runner();
  const file = join(runner.temp, "artifacts.txt");
  writeFileSync(file, "");
  const environment = { GITHUB_ARTIFACTS: file };
  const inputs = { image: "build/*.qed", "target-format": "qcow2" } as const;
  for (const name of ["a", "b"]) runner.makeImage(`build/${name}.qed`, "qed");
  await runner.main({ ...inputs, "dry-run": "true" }, undefined, environment);
  await runner.main({ image: "build/*.qed", mode: "check" }, undefined, environment);
  writeFileSync(runner.path("noise.qed"), "noise");
  await runner.main({ ...inputs, image: "*.qed" }, undefined, environment);
  expect(readFileSync(file, "utf8")).toBe("");
  expect(await runner.main(inputs, undefined, environment)).toMatchObject({ exitCode: 0 });
  expect(readFileSync(file, "utf8")).toBe("build/a.qcow2\nbuild/b.qcow2\n");
});
