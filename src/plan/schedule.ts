/** The schedule of a rearrangement: one for all formats, in two modes. Its proof stands apart (schedule-proof.ts). */

export { scheduleCompact } from "./schedule/compact.ts";
export { movesOfChains, scheduleFixed } from "./schedule/fixed.ts";
export type { CompactInput, FixedInput, Schedule } from "./schedule/schedule.ts";
