/** The reference pages say what the code does: none is stale, and what is declared for them alone is held to the code here. */

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { declarations } from "../../scripts/readme-tables.ts";
import { recipes, vectors } from "../../scripts/reference/checksums-page.ts";
import { nameOf, optionsWithDefaults } from "../../scripts/reference/option-facts.ts";
import { outputKinds } from "../../scripts/reference/output-kinds.ts";
import { targetDefaults } from "../../scripts/reference/target-defaults.ts";
import { referencePages } from "../../scripts/reference.ts";
import { find } from "../../scripts/tools.ts";
import { commands, commonOptions } from "../../src/cli/commands.ts";
import { convert } from "../../src/convert/convert.ts";
import { formatDrivers } from "../../src/formats/registry.ts";
import * as library from "../../src/index.ts";
import { checksum, targetOptions } from "../../src/index.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import { testHost } from "../support/crash-scenario.ts";
import { run } from "./cli/world.ts";

const root = new URL("../../", import.meta.url);
const pages = referencePages();

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("pages", () => {
  test.each(Object.keys(pages))("%s is what the code says", (path) => {
    const found = readFileSync(new URL(path, root), "utf8");
    expect(found === pages[path], `${path} is stale: run node scripts/reference.ts`).toBe(true);
  });

  test("nothing else lies beside them", () => {
    const found = readdirSync(new URL("docs/reference/", root)).map((name) => `docs/reference/${name}`);
    expect(found.filter((path) => !(path in pages))).toEqual([]);
  });
});

test("the man page is one without a mistake", () => {
  const mandoc = find("mandoc");
  if (mandoc === undefined) throw new Error("Cannot check the man page: install mandoc");
  const path = fileURLToPath(new URL("man/inplace-convert.1", root));
  // It may find that there is no date: the version says when.
  const { stdout } = spawnSync(mandoc, ["-T", "lint", "-W", "warning", path], { encoding: "utf8" });
  expect(stdout.split("\n").filter((line) => line !== "" && !line.includes("missing date"))).toEqual([]);
  const overstruck = execFileSync(mandoc, ["-T", "utf8", "-O", "width=200", path], { encoding: "utf8" }).split("\b");
  const text = overstruck.map((part, at) => (at < overstruck.length - 1 ? part.slice(0, -1) : part)).join("");
  for (const { name } of commands) expect(text).toContain(`inplace-convert ${name}`);
  for (const { flags } of commonOptions()) expect(text).toContain(flags.replaceAll(/[<>]/g, ""));
});

test("each output has a kind and an example, and nothing else has", () => {
  const outputs = declarations(readFileSync(new URL("action.yml", root), "utf8"), "outputs");
  expect(Object.keys(outputKinds).sort()).toEqual(outputs.map(({ name }) => name).sort());
});

test.each(commands.map(({ name, example }) => [name, example]))(
  "the example of %s is a command line of ours",
  async (name, example) => {
    const [program, ...words] = example.replace(/ > .*/, "").split(" ");
    expect([program, words[0]]).toEqual(["inplace-convert", name]);
    const { calls, stderr, exitCode } = await run(words, { formatNames: () => [], sourceOptions: () => [] });
    // The library that it would work with answers nothing.
    if (name !== "completion") expect(stderr).toContain(`${calls[0]?.[0]} was not expected`);
    else expect([exitCode, stderr]).toEqual([0, ""]);
  },
);

describe("the library's page", () => {
  const text = pages["docs/reference/library.md"] ?? "";

  test("has a heading and a declaration of each export", () => {
    const declared = [...text.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(Object.keys(library).filter((name) => !declared.includes(name))).toEqual([]);
    const functions = Object.entries(library).filter(([, value]) => typeof value === "function");
    const missing = functions.filter(([name]) => !new RegExp(`^(?:function|class) ${name}\\b`, "m").test(text));
    expect(missing.map(([name]) => name)).toEqual([]);
  });

  test("closes what it opens in each declaration, and hands in nothing of our tests'", () => {
    const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
    const count = (block: string, brackets: string) => [...block].filter((each) => brackets.includes(each)).length;
    expect(blocks.filter((block) => block.trim() === "" || count(block, "([{") !== count(block, ")]}"))).toEqual([]);
    expect(text).not.toMatch(/\b(?:Host|Volume)\b/);
  });

  test("has the parameters that may be left out as such", () => {
    expect(text).toContain(
      "function convert(path: string, targetFormat: string, options?: ConvertOptions): Promise<ConversionReport>;",
    );
    expect(text).toContain("function counted(count: number, noun: string, plural?: string): string;");
  });
});

describe("defaults", () => {
  test("of options that there are", () => {
    const options = [...commonOptions(), ...commands.flatMap((spec) => spec.options?.() ?? [])];
    const names = options.map(nameOf);
    expect(optionsWithDefaults.filter((name) => !names.includes(name))).toEqual([]);
  });

  const keys = formatDrivers.flatMap(({ name }) => targetOptions(name).map((option) => `${name}.${option.name}`));
  test("of all keys of -o", () => {
    expect(Object.keys(targetDefaults).sort()).toEqual([...keys].sort());
  });

  /** Digests of what a conversion of a raw disk leaves, by the files' names. */
  async function made(format: string, options: Readonly<Record<string, string>>) {
    const disk = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at < 300_000 ? (at % 251) + 1 : 0));
    const volume = new MemoryVolume({ "disk.raw": disk });
    const report = await convert("disk.raw", format, { format: "raw", reproducible: true, options }, testHost(volume));
    expect(report.changed || format === "raw").toBe(true);
    const digests = Object.entries(volume.snapshots()).map(([name, bytes]) => [name, digestOf(bytes)] as const);
    return Object.fromEntries(digests);
  }

  test.each(formatDrivers.map(({ name }) => name))("of %s make the same file as none", async (format) => {
    const values = Object.entries(targetDefaults).flatMap(([key, { value }]) => {
      return key.startsWith(`${format}.`) && value !== undefined
        ? [[key.slice(format.length + 1), value] as const]
        : [];
    });
    expect(await made(format, Object.fromEntries(values))).toEqual(await made(format, {}));
  });

  test("of a fixed VHD make the same file as none", async () => {
    const fixed = { subformat: "fixed" };
    expect(await made("vpc", { ...fixed, align: "1M", gpt: "keep" })).toEqual(await made("vpc", fixed));
  });
});

describe("blkhash-sha256", () => {
  const folder = mkdtempSync(join(tmpdir(), "inplace-convert-checksums-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const disk = join(folder, "disk.raw");

  function independently(bytes: Uint8Array): string {
    const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest();
    const blocks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) => {
      return sha256(bytes.subarray(at * 65_536, (at + 1) * 65_536));
    });
    const size = Buffer.from(new BigUint64Array([BigInt(bytes.length)]).buffer);
    return sha256(Buffer.concat([...blocks, size])).toString("hex");
  }

  test.each(vectors)("of $content", async ({ bytes, digest }) => {
    writeFileSync(disk, bytes());
    expect(independently(bytes())).toBe(digest);
    expect(await checksum(disk, { format: "raw" })).toMatchObject({ algorithm: "blkhash-sha256", checksum: digest });
  });

  test.each([
    ["bash", "bash", ["-c", recipes.bash]],
    ["node", process.execPath, ["--input-type=module", "-e", recipes.node]],
  ])("as %s computes it on the page", (_name, program, words) => {
    const { bytes, digest } = vectors.at(-1) ?? { bytes: () => new Uint8Array(), digest: "" };
    writeFileSync(disk, bytes());
    expect(execFileSync(program, words, { cwd: folder, encoding: "utf8" })).toMatch(new RegExp(`^${digest}\\b`));
  });
});
