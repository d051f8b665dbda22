/** The library as a consumer gets it: an import by name, its declarations, and all files of dist. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDemoImage } from "../../src/convert/demo-image.ts";
import { root, scratchFolder, spawnNode } from "./spawn.ts";

/** A folder with a project in it that has inplace-convert installed. */
function consumer(): string {
  const folder = scratchFolder();
  const installed = join(folder, "node_modules/inplace-convert");
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  cpSync(join(root, "dist"), join(installed, "dist"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return folder;
}

test.each([
  "cli.mjs",
  "cli-main.mjs",
  "main.mjs",
  "post.mjs",
  "index.mjs",
  "hash-worker.mjs",
  "types/index.d.ts",
  "licenses.txt",
])("dist has %s", (name) => {
  expect(existsSync(join(root, "dist", name))).toBe(true);
});

test("licenses.txt names every package that is bundled", () => {
  const licenses = readFileSync(join(root, "dist/licenses.txt"), "utf8");
  const { bundled, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(bundled).toHaveLength(8);
  for (const name of bundled) expect(licenses).toContain(` - ${name}@${devDependencies[name]}\n`);
});

test("all of dist takes at most 2 MB", () => {
  const files = readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  );
  const sizes = files.map((file) => statSync(join(file.parentPath, file.name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2_000_000);
});

test("nothing of this machine is in dist", () => {
  for (const name of ["cli-main.mjs", "index.mjs", "hash-worker.mjs"]) {
    expect(readFileSync(join(root, "dist", name), "utf8")).not.toContain(root);
  }
});

test("import { convert } from 'inplace-convert' converts", () => {
  const folder = consumer();
  const script = `
    import { checksum, convert, ImageError, makeDemoImage } from "inplace-convert";
    await makeDemoImage("disk");
    const before = await checksum("disk");
    const report = await convert("disk", "qcow2");
    const after = await checksum("disk");
    const error = await convert("nothing-here", "qcow2").catch((error) => error);
    console.log(JSON.stringify([report.changed, before.checksum === after.checksum, error instanceof ImageError]));
  `;
  writeFileSync(join(folder, "script.mjs"), script);
  expect(spawnNode(["script.mjs"], folder)).toEqual({ exitCode: 0, stdout: "[true,true,true]\n", stderr: "" });
});

test("its declarations are found and right under nodenext", () => {
  const folder = consumer();
  const source = `
    import { convert, type ConversionReport, type ConvertOptions, ImageError } from "inplace-convert";
    const options: ConvertOptions = { verify: "full", onProgress: ({ done, total }) => void (done / total) };
    export const report: Promise<ConversionReport> = convert("disk", "qcow2", options);
    export const kind: "io" | string = new ImageError("io", "Cannot read").kind;
    // @ts-expect-error sizes are numbers
    export const size: string = (await report).virtualSize;
    // @ts-expect-error there is no such option
    await convert("disk", "qcow2", { verify: "half" });
  `;
  writeFileSync(join(folder, "script.ts"), source);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", ...types, "script.ts"];
  expect(spawnNode([tsc, ...options], folder)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("README's library example runs as it stands", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const folder = consumer();
  await makeDemoImage(join(folder, "disk.qed"));
  writeFileSync(join(folder, "example.mjs"), example);
  const { exitCode, stdout, stderr } = spawnNode(["example.mjs"], folder);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^\d+ bytes written\nthe guest is the same: true\n$/);
});
