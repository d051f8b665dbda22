/** `checksum` of several images, and against a list. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ChecksumOptions, ImageError, UsageError } from "../../../src/index.ts";
import { run } from "./world.ts";

const folder = mkdtempSync(join(tmpdir(), "inplace-convert-list-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function listOf(text: string): string {
  const path = join(folder, "SUMS");
  writeFileSync(path, text);
  return path;
}

/** The digest is the name's length, 64 times; `gone` is not there. */
const checksum = async (image: string, { algorithm = "blkhash-sha256" }: ChecksumOptions = {}) => {
  if (image === "gone") throw new ImageError("io", "Cannot open gone: it is not there", { path: image });
  return { image, algorithm, covers: "guest", checksum: `${image.length}`.repeat(64) } as const;
};
const one = "1".repeat(64);
const two = "2".repeat(64);

describe("several images", () => {
  test("a line each, in their order", async () => {
    const { exitCode, stdout, calls } = await run("checksum a bb --checksum sha256 -f raw", { checksum });
    expect([exitCode, stdout]).toEqual([0, `${one}  a\n${two}  bb\n`]);
    expect(calls).toMatchObject([
      ["checksum", "a", { format: "raw", algorithm: "sha256" }],
      ["checksum", "bb", { format: "raw", algorithm: "sha256" }],
    ]);
  });

  test("one that can't be read keeps no other from being read", async () => {
    const { exitCode, stdout, stderr } = await run("checksum gone a", { checksum });
    expect([exitCode, stdout]).toEqual([1, `${one}  a\n`]);
    expect(stderr).toBe(
      "inplace-convert: Cannot open gone: it is not there\ninplace-convert: 1 image could not be read\n",
    );
  });

  test("are a list in JSON, one alone is not", async () => {
    const both = JSON.parse((await run("checksum gone a --output json", { checksum })).stdout);
    expect(both).toMatchObject([
      { image: "gone", error: { kind: "io", path: "gone" } },
      { image: "a", algorithm: "blkhash-sha256", covers: "guest", checksum: one },
    ]);
    expect(JSON.parse((await run("checksum a --output json", { checksum })).stdout)).toMatchObject({ image: "a" });
  });

  test("end with what concerns them all, and with Ctrl-C", async () => {
    for (const error of [new UsageError("no"), new ImageError("interrupted", "Stopped"), new TypeError("x")]) {
      const { calls, exitCode } = await run("checksum a bb", { checksum: async () => Promise.reject(error) });
      expect([calls.length, exitCode > 0]).toEqual([1, true]);
    }
  });
});

describe("-c LIST", () => {
  test("NAME: OK, NAME: FAILED, and exit 1", async () => {
    const list = listOf(`# made by us\n${one}  a\r\n${one} *bb\n\n${two.toUpperCase()}  c c\n${one}  gone\n`);
    const { exitCode, stdout, stderr } = await run(["checksum", "-c", list], { checksum });
    expect([exitCode, stdout]).toEqual([1, "a: OK\nbb: FAILED\nc c: FAILED\ngone: FAILED open or read\n"]);
    expect(stderr).toBe(
      "inplace-convert: Cannot open gone: it is not there\n" +
        "inplace-convert: 2 checksums did not match; they were taken for blkhash-sha256, and --checksum sha256 takes " +
        "them for that\ninplace-convert: 1 image could not be read\n",
    );
    const quiet = await run(["checksum", "-q", "-c", list], { checksum });
    expect([quiet.exitCode, quiet.stdout]).toEqual([1, "bb: FAILED\nc c: FAILED\ngone: FAILED open or read\n"]);
  });

  test("takes what checksum printed, and exits 0 where all is right", async () => {
    const { stdout } = await run("checksum a bb --checksum sha256", { checksum });
    const words = ["checksum", "--check-list", listOf(stdout), "--checksum", "sha256"];
    const checked = await run(words, { checksum });
    expect([checked.exitCode, checked.stdout, checked.stderr]).toEqual([0, "a: OK\nbb: OK\n", ""]);
    expect(checked.calls[0]?.[2]).toMatchObject({ algorithm: "sha256" });
    expect(JSON.parse((await run([...words, "--output", "json"], { checksum })).stdout)).toMatchObject([
      { image: "a", checksum: one, expected: one, matches: true },
      { image: "bb", checksum: two, expected: two, matches: true },
    ]);
  });

  test("takes back every name that checksum prints, whatever it holds", async () => {
    const names = ["a\nb", "a\\nb", "\\", "a\rb", "a\tb\u001b[31m", "\u202e", " a ", "*a", "#a", 'it\'s "a"', "ünï"];
    const { stdout } = await run(["checksum", ...names], { checksum });
    expect(stdout.split("\n")).toHaveLength(names.length + 1);
    expect(stdout).toMatch(new RegExp(`^\\\\${"3".repeat(64)}  a\\\\nb\n\\\\${"4".repeat(64)}  a\\\\\\\\nb\n`));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    const { exitCode, calls } = await run(["checksum", "-c", listOf(stdout)], { checksum });
    expect([exitCode, calls.map(([, name]) => name)]).toEqual([0, names]);
  });

  test("several lists are all checked", async () => {
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    writeFileSync(first, `${two}  a\n`);
    writeFileSync(second, `${two}  bb\n`);
    const { exitCode, stdout } = await run(["checksum", "-c", first, "-c", second], { checksum });
    expect([exitCode, stdout]).toEqual([1, "a: FAILED\nbb: OK\n"]);
  });

  test("that the digests may be of another kind is said only where none was named", async () => {
    const words = ["checksum", "--checksum", "blkhash-sha256", "-c", listOf(`${two}  a\n`)];
    expect((await run(words, { checksum })).stderr).toBe("inplace-convert: 1 checksum did not match\n");
  });

  test.each([
    ["a line that is no digest", `${one}  a\n${one.slice(1)}  b\n`, "Cannot read line 2 of "],
    ["a digest without a name", `${one}  \n`, "Cannot read line 1 of "],
    ["an escape that means nothing", `\\${one}  a\\tb\n`, "Cannot read line 1 of "],
    ["nothing at all", "\n# nothing\n", "it lists no image"],
  ])("%s is refused before any image is read", async (_what, text, says) => {
    const { calls, exitCode, stderr } = await run(["checksum", "-c", listOf(text)], { checksum });
    expect([calls, exitCode]).toEqual([[], 2]);
    expect(stderr).toContain(says);
  });

  test("images beside it, or a list that is not there", async () => {
    const list = listOf(`${one}  a\n`);
    expect(await run(["checksum", "-c", list, "a"], { checksum })).toMatchObject({ exitCode: 2, calls: [] });
    expect(await run(["checksum", "-c", list, "--image-opts"], { checksum })).toMatchObject({ exitCode: 2, calls: [] });
    const secret = ["checksum", "-c", list, "--object", "secret,id=s,data=x"];
    expect(await run(secret, { checksum })).toMatchObject({ exitCode: 2, calls: [] });
    const gone = await run(["checksum", "-c", join(folder, "none")], { checksum });
    expect(gone).toMatchObject({ exitCode: 1, calls: [] });
    expect(gone.stderr).toContain("there is no such file or folder (ENOENT)");
    const directory = await run(["checksum", "-c", folder], { checksum });
    expect(directory.stderr).toContain(`Cannot read the list ${folder}: it is a folder (EISDIR)`);
  });
});
