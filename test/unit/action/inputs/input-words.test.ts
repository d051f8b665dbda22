/** The library's words in the action's terms. */

import { expect, test } from "vitest";
import { INPUT_WORDS } from "../../../../src/action/inputs/input-words.ts";
import { command, either, key, option, type Sentence, say } from "../../../../src/bytes/sentence.ts";

const check = command("check", "my disk.qcow2", "-r", "all");

test.each<[Sentence, string, string]>([
  [
    either(["unpack it first, with gunzip", say`take its own bytes for the disk with ${option("allow-marked-raw")}`]),
    "unpack it first, with gunzip, or take its own bytes for the disk with --allow-marked-raw",
    "unpack it first, with gunzip",
  ],
  [say`name it with ${option("format", "toy")}`, "name it with -f toy", "name it with source-format: toy"],
  [
    say`if it is raw, say so with ${option("format", "raw")}`,
    "if it is raw, say so with -f raw",
    "if it is raw, say so with source-format: raw",
  ],
  [
    say`it looks like qcow2 and qed; name it with ${option("format")}`,
    "it looks like qcow2 and qed; name it with -f",
    "it looks like qcow2 and qed; name it with source-format",
  ],
  [
    say`delete them or use ${option("drop", "snapshots")}`,
    "delete them or use --drop snapshots",
    "delete them or use drop: snapshots",
  ],
  [
    say`give ${option("backing-chain")} to read it`,
    "give --backing-chain to read it",
    "give backing-chain: true to read it",
  ],
  [
    say`repair it first: ${check}`,
    "repair it first: inplace-convert check -r all 'my disk.qcow2'",
    "repair it first: set repair to all",
  ],
  [say`or use ${option("drop", "leaks,bitmaps")}`, "or use --drop leaks,bitmaps", "or use drop: leaks,bitmaps"],
  [
    say`more than ${option("max-extra-space")} allows`,
    "more than --max-extra-space allows",
    "more than max-extra-space allows",
  ],
  [
    say`use ${option("verify", "mapping")}, or ${option("no-check")}`,
    "use --verify mapping, or --no-check",
    "use verify: mapping, or check: false",
  ],
  [say`Cannot use ${key("maxExtraSpace")} "1k"`, 'Cannot use maxExtraSpace "1k"', 'Cannot use max-extra-space "1k"'],
  [
    say`use ${option("sparse-size", "4k")}, ${option("compress")} or ${option("no-compact")}`,
    "use -S 4k, -c or --no-compact",
    "use sparse-size: 4k, compress: true or compact: false",
  ],
  // It has no such input.
  [
    either(["write zeros there first", say`give ${option("allow-probed-guest")}`]),
    "write zeros there first, or give --allow-probed-guest",
    "write zeros there first",
  ],
  // What stands in a command of qemu-img's is its own, and so is a name that looks like an option.
  [
    say`qemu-img convert -f raw -O qcow2, or ${option("format", "raw")}`,
    "qemu-img convert -f raw -O qcow2, or -f raw",
    "qemu-img convert -f raw -O qcow2, or source-format: raw",
  ],
  [
    say`Cannot convert a -f raw.qed --drop bitmaps`,
    "Cannot convert a -f raw.qed --drop bitmaps",
    "Cannot convert a -f raw.qed --drop bitmaps",
  ],
])("%s", (sentence, commandLine, inputs) => {
  expect(`${sentence}`).toBe(commandLine);
  expect(sentence.in(INPUT_WORDS)).toBe(inputs);
});
