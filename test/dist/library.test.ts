/** The library as a consumer gets it: an import by name, its declarations, and all files of dist. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDemoQed } from "../support/demo-qed.ts";
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

/** By the newest TypeScript, with Node's types beside it. */
const NEWEST = {
  compiler: "node_modules/typescript",
  types: ["--types", "node", "--typeRoots", join(root, "node_modules/@types")],
};

/** Type-checks `script.ts` there as strictly as may be. */
function compileScript(folder: string, { compiler, types } = NEWEST): ReturnType<typeof spawnNode> {
  const tsc = join(root, compiler, "bin/tsc");
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", ...types, "script.ts"];
  return spawnNode([tsc, ...options], folder);
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

test("all of dist takes at most 2.6 MB", () => {
  const files = readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  );
  const sizes = files.map((file) => statSync(join(file.parentPath, file.name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2_600_000);
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
    const before = await checksum("disk", { format: "raw" });
    const report = await convert("disk", "qcow2", { format: "raw" });
    const after = await checksum("disk");
    const error = await convert("nothing-here", "qcow2").catch((error) => error);
    console.log(JSON.stringify([report.changed, before.checksum === after.checksum, error instanceof ImageError]));
  `;
  writeFileSync(join(folder, "script.mjs"), script);
  expect(spawnNode(["script.mjs"], folder)).toEqual({ exitCode: 0, stdout: "[true,true,true]\n", stderr: "" });
});

test("a caller without types is told what is wrong before anything is opened", () => {
  const folder = consumer();
  const script = `
    import { readdirSync, readFileSync } from "node:fs";
    import { check, checksum, convert, makeDemoImage, plan, UsageError } from "inplace-convert";
    await makeDemoImage("disk");
    const before = readFileSync("disk");
    const names = readdirSync(".").join();
    const wrong = [
      check("disk", { repair: false }), check("disk", { repair: "off" }), check("disk", { repair: null }),
      check("disk", { repair: "" }), convert("disk", "qcow2", { checksum: "md5" }),
      convert("disk", "qcow2", { maxExtraSpace: "1k" }), convert("disk", "qcow2", { verify: "half" }),
      convert("disk", "qcow2", { drop: "leaks" }), convert("disk", "qcow2", { keepundo: true }),
      convert("disk"), convert("", "qcow2"), plan("disk", "qcow2", null), checksum("gone", { algorithm: "md5" }),
      check("disk", { repair: "all", allowDataLoss: "false" }), checksum("disk", { backingChain: 1 }),
    ];
    const errors = (await Promise.allSettled(wrong)).map(({ reason }) => reason instanceof UsageError);
    const same = before.equals(readFileSync("disk")) && readdirSync(".").join() === names;
    console.log(JSON.stringify([errors.every((each) => each), errors.length, same]));
  `;
  writeFileSync(join(folder, "script.mjs"), script);
  expect(spawnNode(["script.mjs"], folder)).toEqual({ exitCode: 0, stdout: "[true,15,true]\n", stderr: "" });
});

/** Another tool of ours brings it along: older than the type of bytes that has an argument. */
const OLDER_COMPILER = "node_modules/@arethetypeswrong/core/node_modules/typescript";

test.each([
  ["7", NEWEST.compiler],
  ["5.6", OLDER_COMPILER],
])(
  "its declarations are found and right under nodenext, by TypeScript %s without Node's types",
  (version, compiler) => {
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
    expect(JSON.parse(readFileSync(join(root, compiler, "package.json"), "utf8")).version).toMatch(`${version}.`);
    expect(compileScript(folder, { compiler, types: ["--typeRoots", "none"] })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
  },
);

test("no declaration has a type that TypeScript got after 5.2", () => {
  const types = join(root, "dist/types");
  const files = readdirSync(types, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"));
  expect(files.length).toBeGreaterThan(10);
  const newer = /\bNoInfer<|\b(?:Uint8Array|Buffer)<|\bIteratorObject<|\bimport defer\b| with \{/;
  expect(files.filter((name) => newer.test(readFileSync(join(types, name), "utf8")))).toEqual([]);
});

test("info and map are typed, told apart by format", async () => {
  const folder = consumer();
  await makeDemoQed(join(folder, "disk"));
  const source = `
    import { convert, info, type InfoReport, infoText, map, type MapEntry, type MapReport } from "inplace-convert";
    function about(image: InfoReport): (string | number | boolean | undefined)[] {
      const common = [image.virtualSize, image.dirtyFlag, image.children[0]?.info.virtualSize, image.backingFilename];
      switch (image.format) {
        case "raw":
        case "vpc":
          // @ts-expect-error neither has clusters
          image.clusterSize;
          return common;
        case "parallels":
        case "qcow":
        case "vdi":
        case "vhdx":
          return common;
        case "vmdk": {
          const { cid, createType, extents } = image.formatSpecific.data;
          return [...common, cid, createType, extents[0]?.filename];
        }
        case "ova":
          return [...common, image.formatSpecific.data.disk.name, image.formatSpecific.data.members[0]?.length];
        case "qed":
          // @ts-expect-error QED has no fields of its own
          image.formatSpecific;
          return [...common, image.clusterSize];
        case "qcow2": {
          const { compat, compressionType, lazyRefcounts, bitmaps } = image.formatSpecific.data;
          // @ts-expect-error there is no such field
          image.formatSpecific.data.lazy;
          return [...common, image.clusterSize, compat, compressionType, lazyRefcounts, bitmaps?.[0]?.granularity];
        }
      }
    }
    const lengthOf = ({ covers, entries }: MapReport): number =>
      covers === "layer" ? 0 : entries.reduce((sum: number, entry: MapEntry) => sum + entry.length, 0);
    const places = (entries: readonly MapEntry[]): (number | undefined)[] =>
      entries.map(({ start, compressed, offset }) => (compressed ? start : offset));
    const qed = await info("disk");
    const before = await map("disk");
    await convert("disk", "qcow2");
    const qcow2 = await info("disk");
    console.log(JSON.stringify([about(qed)[0] === lengthOf(before), places(before.entries).length > 0, qed.format,
      qcow2.format === "qcow2" && qcow2.formatSpecific.data.compat, infoText(qcow2).split("\\n")[0]]));
  `;
  writeFileSync(join(folder, "script.ts"), source);
  expect(compileScript(folder)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  const { exitCode, stdout, stderr } = spawnNode(["script.ts"], folder);
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 0,
    stdout: '[true,true,"qed","1.1","image: disk"]\n',
    stderr: "",
  });
});

test("README's library example runs as it stands", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const folder = consumer();
  await makeDemoQed(join(folder, "disk.qed"));
  writeFileSync(join(folder, "example.mjs"), example);
  const { exitCode, stdout, stderr } = spawnNode(["example.mjs"], folder);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^\d+ bytes written\nthe guest is the same: true\n$/);
});

/** Converts there, and removes the program once the journal stands, before the first write to the image. */
const REMOVED_MEANWHILE = `
  import { rmSync } from "node:fs";
  import { checksum, convert } from "inplace-convert";
  const [, , path, ...formats] = process.argv;
  const before = (await checksum(path, { format: "raw" })).checksum;
  let isThere = true;
  const onJournal = () => {
    if (isThere) rmSync("node_modules", { recursive: true });
    isThere = false;
  };
  for (const format of formats) await convert(path, format, { ...(isThere && { format: "raw" }), onJournal });
  console.log(isThere, before === (await checksum(path)).checksum);
`;

test("a program that is removed while it converts goes on to the end, whatever it has to load", () => {
  const folder = consumer();
  const disk = Buffer.alloc(3 * 1024 ** 2);
  for (const at of [0, 1, 17, 40]) disk.fill(`block ${at} `, at * 65536, (at + 1) * 65536);
  writeFileSync(join(folder, "disk"), disk);
  writeFileSync(join(folder, "removed.mjs"), REMOVED_MEANWHILE);
  // Each of these is opened for the first time once it has been written.
  const formats = ["vdi", "qed", "vhdx", "parallels", "vmdk", "qcow", "vpc", "ova", "qcow2"];
  expect(spawnNode(["removed.mjs", "disk", ...formats], folder)).toEqual({
    exitCode: 0,
    stdout: "false true\n",
    stderr: "",
  });
});
