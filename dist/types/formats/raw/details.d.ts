/** What `info` tells of a raw image beyond what all formats have, typed. */
/** raw has neither clusters nor fields of its own. */
export interface RawSpecificInfo {
    readonly format: "raw";
}
