/** What an image's own format tells of it beyond what all formats have, as `qemu-img info` prints it. */
/** Told apart by `format`; a format's own folder declares what of this it has. */
export interface SpecificInfo {
    /** qemu-img's name. */
    readonly format: string;
    /** Bytes; absent where the format allocates nothing. */
    readonly clusterSize?: number;
    /** In qemu-img's order; absent where it prints nothing of the kind. */
    readonly formatSpecific?: {
        readonly type: string;
        readonly data: object;
    };
}
/** An internal snapshot. Seconds and nanoseconds add up. */
export interface SnapshotInfo {
    readonly id: string;
    readonly name: string;
    /** Bytes of the machine's saved memory and devices; 0 where the disk alone was kept. */
    readonly vmStateSize: number;
    /** When it was made, since 1970 in UTC. */
    readonly dateSec: number;
    readonly dateNsec: number;
    /** How long the machine had run. */
    readonly vmClockSec: number;
    readonly vmClockNsec: number;
    /** Instructions that the machine had executed; absent where they were not counted. */
    readonly icount?: number;
}
