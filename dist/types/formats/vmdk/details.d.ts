/** What `info` tells of a VMDK beyond what all formats have, typed. */
export interface VmdkSpecificInfo {
    readonly format: "vmdk";
    /** Bytes of a grain; absent of a flat one, which has none. */
    readonly clusterSize?: number;
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
    /** There, and true, only where its grains are. */
    readonly compressed?: true;
    /** Bytes. */
    readonly virtualSize: number;
    readonly filename: string;
    /** Bytes of a grain; absent of a flat one. */
    readonly clusterSize?: number;
    /** Empty where the image's own file is the extent. */
    readonly format: string;
}
