/** Defects in conversions of several steps, and in the ways out of them. */

import type { Mutation } from "./mutation.ts";
import { cutSnapshot, lostBlock, pathsInRecovery, usedBetween } from "./suspects.ts";

export const pathMutations: readonly Mutation[] = [
  {
    name: "a guest may have written where a raw's qcow2 has nothing",
    file: "convert/undo/hidden-writes.ts",
    find: "if (bytes.some((byte) => byte !== 0)) return false;",
    replace: "",
    tests: [pathsInRecovery],
  },
  {
    name: "a disk that is longer for a while is cut, whoever has grown into it",
    file: "convert/undo/switch-undo.ts",
    find: `if (commit === "before" && !(await isAsShort(storage, state))) return "its disk was used as long as it was";`,
    replace: "",
    tests: [pathsInRecovery],
  },
  {
    name: "a footer that went is a file that somebody cut",
    file: "convert/undo/switch-undo.ts",
    find: `const isShorter = commit === "after" && intent.commitKind === "length";`,
    replace: "const isShorter = false;",
    tests: [pathsInRecovery],
  },
  {
    name: "wishes are forgotten where a step is all there is",
    file: "convert/conversion/switch-step.ts",
    find: "...(wishes && { wishes }),",
    replace: "",
    tests: [pathsInRecovery],
  },
  {
    name: "an odd raw disk is cut inside a sector that a guest has filled",
    file: "convert/switch/finish.ts",
    find: "await storage.resize(rest.some((byte) => byte !== 0) ? cutTo + rest.length : cutTo);",
    replace: "await storage.resize(cutTo);",
    tests: [pathsInRecovery],
  },
  {
    name: "the digest of a disk's first bytes reaches into what lies behind it",
    file: "convert/undo/switch-undo.ts",
    find: "end: Math.min(FRONT_LENGTH, fileSize)",
    replace: "end: FRONT_LENGTH",
    tests: [lostBlock],
  },
  {
    name: "whoever used a cleared image has left it cleared",
    file: "convert/conversion/walk.ts",
    find: "packFormOf(journey) === undefined && (await isCleared(first.image));",
    replace: "packFormOf(journey) === undefined;",
    tests: [usedBetween],
  },
  {
    name: "where all spares are taken nothing goes first",
    file: "convert/rearrange/linear.ts",
    find: "if (chained.count > 0 || isAll) return { moves: chained, spareStart: 0, spareBytes: 0, isAll };",
    replace: "",
    tests: [pathsInRecovery],
  },
  {
    name: "counts of what a cut has parted stay",
    file: "convert/rearrange/mended-counts.ts",
    find: "if (repair === undefined || repair.steps.length === 0) return",
    replace: "if (repair === undefined || repair.steps.length >= 0) return",
    tests: [cutSnapshot, "test/crash/path-states.test.ts > compacted, a snapshot"],
  },
];
