/** What `info` tells of an OVA beyond what all formats have, typed. */

export interface OvaSpecificInfo {
  readonly format: "ova";
  /** Bytes of a grain of its disk. */
  readonly clusterSize: number;
  readonly formatSpecific: { readonly type: "ova"; readonly data: OvaDetails };
}

export interface OvaDetails {
  readonly disk: OvaMemberInfo & {
    readonly format: "vmdk";
    /** What the disk's own format tells of it. */
    readonly formatSpecific: object;
  };
  /** In the order in which they lie, the disk too. */
  readonly members: readonly OvaMemberInfo[];
}

export interface OvaMemberInfo {
  readonly name: string;
  /** Where its bytes begin in the file. */
  readonly hostOffset: number;
  /** Bytes. */
  readonly length: number;
}
