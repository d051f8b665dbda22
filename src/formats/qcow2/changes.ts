/** All that changes an image: loaded where something shall be changed, since most commands only read. */

export { Qcow2Encoder } from "./encode/encoder.ts";
export { refuseEncoding } from "./encode/refusals.ts";
export { Qcow2Packer } from "./pack/packer.ts";
export { emptyingSteps } from "./rearrange/emptying.ts";
export { clearedAutoclear, Qcow2Rearranger } from "./rearrange/rearranger.ts";
export { refuseRearranging } from "./rearrange/refusals.ts";
export { planHeaderSettling } from "./rearrange/settle.ts";
export { planQcow2Repair } from "./repair/repair.ts";
