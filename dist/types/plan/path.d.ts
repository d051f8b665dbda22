/**
 * A conversion as a path of steps, each a switch to a format or a rearrangement inside one, each leaving a whole image.
 *
 *   tables -> tables               switch
 *   raw    -> tables               switch, compact
 *   tables -> raw                  switch to the carrier with its tables behind the disk, each unit to its place, switch;
 *                                  what the carrier could not point at is brought together in the hub before
 *   a fixed VHD <-> all others     by way of raw
 *   all -> what begins with tables switch to the carrier with so large a first cluster, nothing of which but the header is
 *                                  used, then switch
 *   all -> what is a stream of compressed units
 *                                  switch to the carrier with its tables behind all that will be, pack, switch
 *   all -> units that lie together switch to the hub with its tables behind the data, gather, switch
 *   zeros of an image whose snapshots or bitmaps stay: given up where it stands, no table is made anew
 *   a disk that is changed         relocate, while it is raw: it grows, its GPT's backup moves to its end, or back
 *
 * The same rule, asked of the image as it stands, gives the rest of the way: so a run and a `resume` are one walk, begun
 * at different places. No format is named: what matters of one is in its values.
 */
/** A format, as far as it decides the way. */
export interface Waypoint {
    readonly format: string;
    /** Its guest lies in one piece, each unit at the one place that it may have. */
    readonly isInOnePiece: boolean;
    /** The format that all conversions from and to it go through, where it can't be reached directly. */
    readonly by: Waypoint | undefined;
    /** Units can be moved inside it to any place, and what is free given back. */
    readonly canRearrange: boolean;
    /** Its units lie compressed, one behind another. */
    readonly isPacked?: boolean;
}
/** How far the image is on its way to a disk in one piece, or to a stream: its tables are out of the way, its units at their places. */
export type Standing = "elsewhere" | "cleared" | "in place";
export interface PathFrom extends Waypoint {
    /** The image is of the goal's format and options. */
    readonly isAsAsked: boolean;
    readonly standing: Standing;
    /** Bytes at the file's front for the goal's own tables, where there is something else now than the header's sector; absent: none. */
    readonly front?: number;
    /** The same, wherever the guest lies now. */
    readonly goalFront?: number;
    /** Of the disk itself something is to be changed, once it lies in one piece that is reached directly. */
    readonly relocates?: boolean;
    /** Units of zeros were found that are given up where the image stands. */
    readonly empties?: boolean;
    /** What lies together in the goal, or in the carrier on the way to one in one piece or to a stream, has to be brought together first; absent where it need not be. */
    readonly gathering?: GatheringStand | undefined;
}
export interface GatheringStand {
    /** The format in which that is done. */
    readonly by: string;
    /** The image is of it, its tables out of the way. */
    readonly isHere: boolean;
    /** Nothing is stored that could be moved. */
    readonly isIdle: boolean;
    /** What the switch to it leaves free: behind `end` so many bytes, and no tables before. */
    readonly room: {
        readonly end: number;
        readonly spareBytes: number;
        readonly options: Readonly<Record<string, string>>;
    };
}
export interface PathWishes {
    readonly compact: boolean;
    readonly compress: boolean;
}
export type RearrangeGoal = "linear" | "gather" | "zeros" | "compact" | "encode" | "pack" | "relocate";
export type Step = 
/** `isCarrier`: its tables lie behind the disk, with counts for what will be moved. `isGoal`: made with the options asked for. */
{
    readonly step: "switch";
    readonly to: string;
    readonly isCarrier: boolean;
    readonly isGoal: boolean;
    /** Bytes at the front that nothing but the header's sector is to lie in; absent: as it comes. */
    readonly front?: number;
    /** Of a carrier: units will be packed in it. */
    readonly packs?: true;
    /** Of a carrier in which what lies together in the goal is brought together. */
    readonly room?: GatheringStand["room"];
} | {
    readonly step: "rearrange";
    readonly goal: RearrangeGoal;
};
/** The steps that are left; none where the image is what was asked for. `carrier` can rearrange. */
export declare function pathTo(from: PathFrom, goal: Waypoint, carrier: Waypoint, wishes: PathWishes): readonly Step[];
