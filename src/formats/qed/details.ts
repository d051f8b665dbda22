/** What `info` tells of a QED image beyond what all formats have, typed. */

export interface QedSpecificInfo {
  readonly format: "qed";
  /** Bytes. */
  readonly clusterSize: number;
}
