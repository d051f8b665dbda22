/** qcow2 as a target: what it can hold, where its tables go, and the sector that commits (DESIGN's last three verbs). */
import type { TargetDriver } from "../../image/driver.ts";
export declare const qcow2Target: TargetDriver;
