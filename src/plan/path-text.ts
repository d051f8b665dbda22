/** A path in words: what each step does, and how the image comes back from it. */

import { hex } from "../bytes/image-error.ts";
import { formatSize } from "../bytes/size-text.ts";
import type { RearrangeGoal } from "./path.ts";

/** One step of a conversion, as reports have it: a switch to a format, or a rearrangement inside one. */
export type PathStep =
  | { readonly step: "switch"; readonly to: string }
  | { readonly step: "rearrange"; readonly goal: RearrangeGoal };

const GOALS: Readonly<Record<RearrangeGoal, string>> = {
  linear: "each unit to its place",
  gather: "what lies together in the target brought together",
  zeros: "clusters of zeros given back",
  compact: "what lies at the end moves into free space, the file gets shorter",
  encode: "each cluster compressed",
  pack: "each cluster compressed, one behind another in the guest's order",
  relocate: "the disk itself changed, to its new length, its GPT's backup at the end",
};

/** Bytes of the guest's disk that change as was asked for, as reports have them. */
export interface GuestChange {
  readonly guestOffset: number;
  readonly length: number;
  /** e.g. `backup header of the GPT`. */
  readonly what: string;
}

/** One phrase for each, e.g. `protective MBR: 512 bytes at 0x0`. */
export function changeTexts(changes: readonly GuestChange[] = []): readonly string[] {
  return changes.map(({ guestOffset, length, what }) => `${what}: ${formatSize(length)} at ${hex(guestOffset)}`);
}

/** One phrase a step, e.g. `switch to qcow2, its tables behind the disk`. */
export function stepTexts(path: readonly PathStep[]): readonly string[] {
  return path.map((step, at) => {
    if (step.step === "rearrange") return `rearrange: ${GOALS[step.goal]}`;
    const next = path[at + 1];
    const goal = next?.step === "rearrange" ? next.goal : undefined;
    const isBehindDisk = goal === "linear" || goal === "pack";
    const where = isBehindDisk
      ? ", its tables behind the disk"
      : goal === "gather"
        ? ", its tables behind the data"
        : "";
    return `switch to ${step.to}${where}`;
  });
}

/** What `rollback` leads to, by how far the path has come. */
export function wayBackText(path: readonly PathStep[], sourceFormat: string): string {
  const again = `the same guest as ${sourceFormat} again`;
  const [first] = path;
  if (first?.step === "rearrange" && first.goal === "relocate") return "the old bytes";
  if (first?.step === "rearrange") return path.length === 1 ? `${again}, units where they are by then` : again;
  return path.length === 1
    ? `the old bytes until the undo is given up, then ${again}`
    : `the old bytes in step 1, then ${again}`;
}
