/** inplace-convert: change the format of a VM disk image inside the file it already occupies. */

export { targetOptions } from "./convert/options/target-options.ts";
export { usageMistakes } from "./convert/options/usage.ts";
export * from "./doors.ts";
