/** The library's words in the action's terms. */

import { expect, test } from "vitest";
import { inInputWords } from "../../../../src/action/inputs/input-words.ts";

test.each([
  [
    "unpack it first, with gunzip, or take its own bytes for the disk with --allow-marked-raw",
    "unpack it first, with gunzip",
  ],
  ["if it is raw, say so with -f raw", "if it is raw, say so with source-format: raw"],
  ["name it with -f toy, or take its own", "name it with source-format: toy, or take its own"],
  ["it looks like qcow2 and qed; name it with -f", "it looks like qcow2 and qed; name it with source-format"],
  ["delete them or use --drop snapshots", "delete them or use drop: snapshots"],
  ["give --backing-chain to read it", "give backing-chain: true to read it"],
  ["repair it first: inplace-convert check -r all", "repair it first: set repair to all"],
  ["or use --drop leaks,bitmaps", "or use drop: leaks,bitmaps"],
  ["more than --max-extra-space allows", "more than max-extra-space allows"],
  ["use --verify mapping, or --no-check", "use verify: mapping, or check: false"],
  ["say it with -o cluster_size=64k", "say it with options: cluster_size=64k"],
  ['Cannot use maxExtraSpace "1k"', 'Cannot use max-extra-space "1k"'],
  ["qemu-img convert -f vmdk -O qcow2", "qemu-img convert -f vmdk -O qcow2"],
  ["qemu-img convert -f raw -O qcow2, or -f raw", "qemu-img convert -f raw -O qcow2, or source-format: raw"],
  [
    "say it with qemu-img rebase -u -F; name it with -f",
    "say it with qemu-img rebase -u -F; name it with source-format",
  ],
  [
    "look at it with qemu-img info, and name it with -f",
    "look at it with qemu-img info, and name it with source-format",
  ],
  ["Cannot convert a-f raw.qed --dropped", "Cannot convert a-f raw.qed --dropped"],
])("%s", (text, expected) => expect(inInputWords(text)).toBe(expected));
