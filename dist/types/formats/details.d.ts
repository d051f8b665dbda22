/** What `info` tells of some formats, with the types of its fields for callers that ask for one of them. */
export type { OvaDetails, OvaMemberInfo, OvaSpecificInfo } from "./ova/details.ts";
export type { ParallelsSpecificInfo } from "./parallels/details.ts";
export type { QcowSpecificInfo } from "./qcow/details.ts";
export type { LuksDetails, LuksSlot, Qcow2BitmapInfo, Qcow2Details, Qcow2SpecificInfo } from "./qcow2/details.ts";
export type { QedSpecificInfo } from "./qed/details.ts";
export type { RawSpecificInfo } from "./raw/details.ts";
export type { VdiSpecificInfo } from "./vdi/details.ts";
export type { VhdxSpecificInfo } from "./vhdx/details.ts";
export type { VmdkDetails, VmdkExtentInfo, VmdkSpecificInfo } from "./vmdk/details.ts";
export type { VpcSpecificInfo } from "./vpc/details.ts";
