/** `cross-check`: qemu-img's opinion beside ours, and what a wrong or missing one does. */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Runner, tool } from "./runner.ts";

const REQUIRE = { "cross-check": "require" } as const;
const AGREES = expect.stringMatching(/^qemu-img \S+ agrees: no errors, and the same map of the guest as before$/);

function notesOf(outputs: Readonly<Record<string, string>>): readonly (readonly string[])[] {
  return (JSON.parse(outputs.images ?? "") as { readonly notes: readonly string[] }[]).map(({ notes }) => notes);
}

/** A folder for PATH whose qemu-img says what `script` makes it say. */
function fakeQemu(runner: Runner, script: string): NodeJS.ProcessEnv {
  const folder = join(runner.temp, "bin");
  mkdirSync(folder);
  const path = join(folder, "qemu-img");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { PATH: `${folder}:${process.env.PATH}` };
}

test("data, zeros, holes, compressed clusters and another cluster size, both ways", async () => {
  const runner = new Runner();
  for (const [name, format] of [
    ["first.qed", "qed"],
    ["zeros.qcow2", "qcow2"],
  ] as const) {
    runner.makeImage(name, format);
    const writes = [
      "-c",
      "write -z 2M 256k",
      "-c",
      "write -z 1M 64k",
      "-c",
      "write -P 0 4M 128k",
      "-c",
      "discard 6M 64k",
    ];
    tool("qemu-io", "-f", format, ...writes, runner.path(name));
  }
  runner.makeImage("source.raw", "raw");
  const convert = ["convert", "-f", "raw", "-O", "qcow2"];
  tool("qemu-img", ...convert, "-c", runner.path("source.raw"), runner.path("packed.qcow2"));
  tool("qemu-img", ...convert, "-o", "cluster_size=4k", runner.path("source.raw"), runner.path("small.qcow2"));
  const toQcow2 = await runner.main({ image: "first.qed", "target-format": "qcow2", rename: "false", ...REQUIRE });
  expect(toQcow2.annotations).toEqual([]);
  expect(notesOf(toQcow2.outputs)).toEqual([[AGREES]]);
  const toQed = await runner.main({ image: "*.qcow2\nfirst.qed", "target-format": "qed", ...REQUIRE });
  expect(toQed.annotations).toEqual([]);
  expect(notesOf(toQed.outputs)).toEqual([[AGREES], [AGREES], [AGREES], [AGREES]]);
});

test("a backing file is not opened, and the image alone is compared", async () => {
  const runner = new Runner();
  runner.makeImage("base.raw", "raw");
  tool("qemu-img", "create", "-q", "-f", "qed", "-b", "base.raw", "-F", "raw", runner.path("disk.qed"));
  runner.remove("base.raw");
  const { exitCode, outputs } = await runner.main({ image: "disk.qed", "target-format": "qcow2", ...REQUIRE });
  expect(exitCode).toBe(0);
  expect(notesOf(outputs)).toEqual([[AGREES]]);
});

test("an image that names a data file is not shown to qemu-img", async () => {
  const runner = new Runner();
  tool(
    "qemu-img",
    "create",
    "-q",
    "-f",
    "qcow2",
    "-o",
    `data_file=${runner.path("data.raw")}`,
    runner.path("disk.qcow2"),
    "1M",
  );
  const { exitCode, outputs } = await runner.main({ image: "disk.qcow2", mode: "check", ...REQUIRE });
  expect(exitCode).toBe(0);
  expect(notesOf(outputs)).toEqual([["Not shown to qemu-img: the image keeps its data in another file"]]);
});

test("no qemu-img: required is a mistake, auto goes on without", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const nowhere = { PATH: join(runner.temp, "nothing") };
  const inputs = { image: "disk.qed", "target-format": "qcow2" } as const;
  const required = await runner.main({ ...inputs, ...REQUIRE }, undefined, nowhere);
  expect(required.exitCode).toBe(1);
  expect(required.annotations[0]?.message).toContain("Cannot cross-check with qemu-img");
  expect(runner.names).toEqual(["disk.qed"]);
  const auto = await runner.main({ ...inputs, "cross-check": "auto" }, undefined, nowhere);
  expect(auto).toMatchObject({ exitCode: 0, outputs: { changed: "true" } });
  expect(notesOf(auto.outputs)).toEqual([[]]);
});

test("another map after the conversion fails it", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const map = `[{ "start": 0, "length": 8388608, "data": '"$(test -e "${runner.path("seen")}" && echo true || echo false)"', "zero": false}]`;
  const script = `case $1 in
    --version) echo "qemu-img version 9.9" ;;
    check) echo '{"check-errors": 0}' ;;
    map) echo '${map}'; touch "${runner.path("seen")}" ;;
  esac`;
  const inputs = { image: "disk.qed", "target-format": "qcow2", ...REQUIRE } as const;
  const { exitCode, annotations } = await runner.main(inputs, undefined, fakeQemu(runner, script));
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(1);
  expect(annotations[0]?.message).toContain("Cannot agree with qemu-img 9.9 on disk.qed");
  expect(annotations[0]?.message).toContain("the image was put back as it was");
  expect(runner.names).toContain("disk.qed");
});

test("other counts fail a check; what it says is told where it fails itself", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const script = `case $1 in
    --version) echo "qemu-img version 9.9" ;;
    check) case $3 in *other*) echo "cannot do it" >&2; exit 1 ;; *) echo '{"check-errors": 0, "leaks": 5}' ;; esac ;;
  esac`;
  runner.makeImage("other.qed", "qed");
  const inputs = { image: "*.qed", mode: "check", ...REQUIRE } as const;
  const { exitCode, annotations } = await runner.main(inputs, undefined, fakeQemu(runner, script));
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain("it found 0 corruptions, 5 leaked clusters and 0 errors");
  expect(annotations[1]?.message).toContain("cannot do it");
});
