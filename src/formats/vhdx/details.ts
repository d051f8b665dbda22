/** What `info` tells of a VHDX beyond what all formats have, typed. */

export interface VhdxSpecificInfo {
  readonly format: "vhdx";
  /** Of a block, in bytes. */
  readonly clusterSize: number;
}
