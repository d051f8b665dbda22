/** The 32 subclusters of an extended L2 entry (docs/interop/qcow2.txt, "Extended L2 Entries"). */

export const SUBCLUSTER_COUNT = 32;

/** What the bitmap says of one subcluster; `invalid` where it is allocated and zero at once. */
export type SubclusterState = "unallocated" | "data" | "zero" | "invalid";

export interface SubclusterRun {
  /** First subcluster, 0 to 31. */
  readonly first: number;
  readonly count: number;
  readonly state: SubclusterState;
}

/** Splits a bitmap into runs of equal state. `allocated` and `zero` are its halves: bits 0 to 31 and 32 to 63. */
export function subclusterRuns(allocated: number, zero: number): SubclusterRun[] {
  const runs: SubclusterRun[] = [];
  let first = 0;
  while (first < SUBCLUSTER_COUNT) {
    const state = subclusterState(allocated, zero, first);
    let next = first + 1;
    while (next < SUBCLUSTER_COUNT && subclusterState(allocated, zero, next) === state) next++;
    runs.push({ first, count: next - first, state });
    first = next;
  }
  return runs;
}

/** True where some subcluster is allocated and zero at once, which the format forbids. */
export function hasInvalidSubcluster(allocated: number, zero: number): boolean {
  return (allocated & zero) !== 0;
}

function subclusterState(allocated: number, zero: number, subcluster: number): SubclusterState {
  const isAllocated = ((allocated >>> subcluster) & 1) === 1;
  const isZero = ((zero >>> subcluster) & 1) === 1;
  if (isAllocated) return isZero ? "invalid" : "data";
  return isZero ? "zero" : "unallocated";
}
