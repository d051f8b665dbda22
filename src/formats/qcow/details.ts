/** What `info` tells of a qcow image beyond what all formats have, typed. */

export interface QcowSpecificInfo {
  readonly format: "qcow";
  /** Bytes. */
  readonly clusterSize: number;
}
