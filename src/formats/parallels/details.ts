/** What `info` tells of a Parallels image beyond what all formats have, typed. */

/** qemu-img prints nothing of it, not even the size of its tracks. */
export interface ParallelsSpecificInfo {
  readonly format: "parallels";
}
