/** What `info` tells of a VHD beyond what all formats have, typed. */

/** qemu-img prints nothing of the footer. */
export interface VpcSpecificInfo {
  readonly format: "vpc";
  /** Bytes of a block; absent of a fixed disk, which allocates nothing. */
  readonly clusterSize?: number;
}
