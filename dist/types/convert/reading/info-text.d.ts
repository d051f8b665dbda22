/** What `info` found, in the words that `qemu-img info` prints for people. */
import type { InfoReport } from "./info.ts";
/** Without a line break at its end. */
export declare function infoText(info: InfoReport): string;
