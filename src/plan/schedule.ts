/** The schedule of a rearrangement: one for all formats, in three modes. Their proofs stand apart (schedule-proof.ts, gather-proof.ts). */

export { scheduleCompact } from "./schedule/compact.ts";
export { movesOfChains, scheduleFixed } from "./schedule/fixed.ts";
export { type GatherInput, leastSpares, scheduleGather, stayingUnits } from "./schedule/gather.ts";
export type { CompactInput, FixedInput, Schedule } from "./schedule/schedule.ts";
