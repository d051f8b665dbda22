/** The formats that we know: a new one is a folder, and its line here. */
import type { FormatDriver } from "../image/driver.ts";
/** In the order of messages; raw, which has no mark, is last. */
export declare const formatDrivers: readonly FormatDriver[];
