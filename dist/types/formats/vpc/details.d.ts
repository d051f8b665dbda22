/** What `info` tells of a VHD beyond what all formats have, typed. */
/** A fixed VHD allocates nothing, and qemu-img prints nothing of its footer. */
export interface VpcSpecificInfo {
    readonly format: "vpc";
}
