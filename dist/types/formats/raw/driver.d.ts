/** The raw driver: the file is the disk. Reading only, and only when named: no raw image can be told from others. */
import type { FormatDriver } from "../../image/driver.ts";
/** raw has neither clusters nor fields of its own. */
export interface RawSpecificInfo {
    readonly format: "raw";
}
export declare const rawDriver: FormatDriver;
