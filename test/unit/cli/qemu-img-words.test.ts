/** Words of qemu-img's that we lack are answered by one sentence, and nothing is opened. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/bytes/sentence.ts";
import { commands } from "../../../src/cli/commands.ts";
import { report, run } from "./world.ts";

const PLAN = "says what that would do and writes nothing, and qemu-img convert makes a copy";
const FORM = "Cannot take -O: the target format is the word after the image, which is changed inside its own file";
const second = (verb: string, from: string, to: string) =>
  `Cannot ${verb} ${from} into ${to}: there is no second file, the image is changed inside its own`;

const answers: Readonly<Record<string, string>> = {
  "convert -O qcow2 a.img": `${FORM}; inplace-convert plan a.img qcow2 ${PLAN}`,
  "convert -pO QCOW2 -f raw -S 64k a.img b": `${second("convert", "a.img", "b")}; inplace-convert plan a.img qcow2 -f raw -S 64k ${PLAN}`,
  "convert -cOvmdk -o subformat=streamOptimized -t none -m 4 -W a.img b.vmdk": `${second("convert", "a.img", "b.vmdk")}; inplace-convert plan a.img vmdk -o subformat=streamOptimized -c ${PLAN}`,
  "convert a.img b.qcow2": `${second("convert", "a.img", "b.qcow2")}; inplace-convert plan a.img qcow2 ${PLAN}`,
  "convert a.img ../b": `${second("convert", "a.img", "../b")}; inplace-convert plan a.img FORMAT ${PLAN}`,
  "convert a.img vhd b.img": `${second("convert", "a.img", "b.img")}; inplace-convert plan a.img vpc ${PLAN}`,
  "convert -O qcow2": `${FORM}; inplace-convert plan IMAGE qcow2 ${PLAN}`,
  "convert --target-format=qcow2 --source-format raw --sparse-size 64k --parallel 4 -U a.img b": `${second("convert", "a.img", "b")}; inplace-convert plan a.img qcow2 --source-format raw --sparse-size 64k -U ${PLAN}`,
  "convert --image-opts driver=raw,file.filename=a.img -b c -F raw -O qcow2 b": `${second("convert", "driver=raw,file.filename=a.img", "b")}; inplace-convert plan driver=raw,file.filename=a.img qcow2 --image-opts ${PLAN}`,
  "convert -O iso a.img": `${FORM}; inplace-convert plan a.img FORMAT ${PLAN}`,
  "convert -O qcow2 -o help a b":
    "Cannot take -O: the target format is the word after the image; inplace-convert plan qcow2 -o help lists its options",
  "plan a.img b.qcow2 --max-extra-space 5M": `${second("plan", "a.img", "b.qcow2")}; inplace-convert plan a.img qcow2 ${PLAN}`,
  "create -f qcow2 a.qcow2 10G": "Cannot create an image, only change one that is there: qemu-img create does it",
  "resize a.qcow2 +1G": "Cannot resize a disk: qemu-img resize does it",
  "rebase -b b.qcow2 a.qcow2": "Cannot give an image another backing file: qemu-img rebase does it",
  "commit a.qcow2": "Cannot write an image into its backing file: qemu-img commit does it",
  "dd if=a of=b": "Cannot copy a part of a disk: qemu-img dd does it",
  "bench a.qcow2": "Cannot measure how fast an image is: qemu-img bench does it",
  "measure -O qcow2 -f raw a.raw":
    "Cannot measure by that name: inplace-convert plan a.raw qcow2 -f raw tells how long the file will be and what is written, and writes nothing",
  "measure -U --target-format qed --image-opts driver=raw,file.filename=a.raw":
    "Cannot measure by that name: inplace-convert plan driver=raw,file.filename=a.raw qed -U --image-opts tells how long the file will be and what is written, and writes nothing",
  "measure --size 10G":
    "Cannot measure by that name: inplace-convert plan IMAGE raw tells how long the file will be and what is written, and writes nothing",
  "snapshot -l a.qcow2": "Cannot list snapshots by that name: inplace-convert info a.qcow2 lists them",
  "snapshot -c s1 a.qcow2": "Cannot make, apply or delete a snapshot: qemu-img snapshot does it",
  "amend -o compat=0.10 a.qcow2":
    "Cannot amend an image by that name: qemu-img amend does it, and inplace-convert plan a.qcow2 qcow2 -o compat=0.10 says what a conversion to the same format with other options would do",
  "bitmap --add a.qcow2 b0":
    "Cannot change bitmaps: qemu-img bitmap does it, and inplace-convert info a.qcow2 lists them",
};

describe("one sentence, exit 2, nothing opened", () => {
  test.each(Object.entries(answers))("%s", async (words, sentence) => {
    expect(await run(words)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `inplace-convert: ${sentence}\n`,
      calls: [],
    });
  });

  test("as JSON where that was asked for", async () => {
    const { exitCode, stdout } = await run("convert --output json -O qcow2 a.img");
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout).error).toEqual({ kind: "usage", message: answers["convert -O qcow2 a.img"] });
  });

  test("names are quoted for a shell, and the program is called as it was", async () => {
    const { stderr } = await run(["measure", "-O", "qed", "--", "-it's.raw"], {}, { invocation: "node dist/cli.mjs" });
    expect(stderr).toContain(" node dist/cli.mjs plan './-it'\\''s.raw' qed tells ");
  });

  test("what is shown as ours is a command line of ours", async () => {
    let count = 0;
    for (const sentence of Object.values(answers)) {
      const [, words = ""] = /inplace-convert (.*?) (?:says|tells|lists)/.exec(sentence) ?? [];
      if (words === "") continue;
      count++;
      const { calls } = await run(words);
      expect([words, calls.map(([name]) => name)]).toEqual([
        words,
        [words.endsWith("-o help") ? "targetOptions" : words.split(" ")[0]],
      ]);
    }
    expect(count).toBeGreaterThan(10);
  });

  test("no command of ours that is shown writes", () => {
    const writers = commands.filter(({ writes }) => writes?.({ targetFormatOptions: [], output: "human" }));
    expect(writers.length).toBeGreaterThan(3);
    for (const sentence of Object.values(answers)) {
      for (const { name } of writers) expect(sentence).not.toContain(`inplace-convert ${name}`);
    }
    // The guard looks for what a sentence would say.
    expect(`${command("rollback", "a")}`).toContain("inplace-convert rollback");
  });
});

describe("what is ours stays ours", () => {
  const convert = async () => report;

  test.each([
    ["convert a.img qcow2 -f raw", ["a.img", "qcow2"]],
    ["convert -f raw -S 4k -o cluster_size=64k a.img QCow2", ["a.img", "qcow2"]],
    ["convert --guest-checksum b.img/x a.img qcow2", undefined],
    ["convert a.img vhd --journal x/b.img", ["a.img", "vpc"]],
    ["convert -- a.img qcow2", ["a.img", "qcow2"]],
  ])("%s", async (words, called) => {
    const { calls, stderr } = await run(words, { convert });
    expect(stderr).not.toContain("second file");
    expect(calls[0]?.slice(1, 3)).toEqual(called);
  });

  test("a word that is neither a format nor a file is told as the library tells it", async () => {
    const { calls } = await run("convert a.img qcwo2", { convert });
    expect(calls[0]?.slice(1, 3)).toEqual(["a.img", "qcwo2"]);
  });

  test("help is given where it is asked for", async () => {
    expect((await run("convert -O qcow2 -h")).stdout).toContain("Usage:");
  });
});
