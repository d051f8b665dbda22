/** What `info` tells of a VMDK beyond what all formats have, typed. */
export interface VmdkSpecificInfo {
    readonly format: "vmdk";
    readonly formatSpecific: {
        readonly type: "vmdk";
        readonly data: VmdkDetails;
    };
}
/** In qemu-img's order. */
export interface VmdkDetails {
    /** Changes with the first write after each opening. */
    readonly cid: number;
    /** 0xffffffff: none. */
    readonly parentCid: number;
    readonly createType: string;
    readonly extents: readonly VmdkExtentInfo[];
}
export interface VmdkExtentInfo {
    /** Bytes. */
    readonly virtualSize: number;
    readonly filename: string;
    readonly format: string;
}
