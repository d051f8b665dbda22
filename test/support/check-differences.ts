/**
 * Where we mean to differ from qemu-img's check, each with what it is known by; the reasons are in
 * docs/decisions/where-check-differs-from-qemu-img.md.
 */

import { type KnownDifference, theySay, weRefuse } from "../formats/check-verdict.ts";
import type { FormatKit } from "../formats/kit.ts";
import { checked } from "../formats/kits.ts";

const OF_ANY_FORMAT: readonly KnownDifference[] = [
  {
    name: "what lies in another file",
    mostInThousand: 10,
    isIt: (found) => theySay(found, /data-file|backing file|No such file|Unknown driver|\.data'/),
  },
  {
    name: "places beyond 2^53",
    mostInThousand: 8,
    isIt: (found) => weRefuse(found, /is beyond 2\^53/),
  },
];

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  ...OF_ANY_FORMAT,
  ...checked.flatMap(({ check }) => check.differences),
];

export function differencesOf({ check }: FormatKit): readonly KnownDifference[] {
  return [...OF_ANY_FORMAT, ...(check?.differences ?? [])];
}
