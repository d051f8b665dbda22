/** What `info` tells of a VDI image beyond what all formats have, typed. */
export interface VdiSpecificInfo {
    readonly format: "vdi";
    /** Bytes of a block: always 1 MiB. */
    readonly clusterSize: number;
}
