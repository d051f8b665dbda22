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
  | {
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
    }
  | { readonly step: "rearrange"; readonly goal: RearrangeGoal };

/** The steps that are left; none where the image is what was asked for. `carrier` can rearrange. */
export function pathTo(from: PathFrom, goal: Waypoint, carrier: Waypoint, wishes: PathWishes): readonly Step[] {
  if (from.relocates && from.isInOnePiece && from.by === undefined) {
    return [
      RELOCATE,
      ...(from.format === goal.format ? [] : pathTo({ ...from, relocates: false }, goal, carrier, wishes)),
    ];
  }
  // A disk in one piece is what it is: its length is its guest's.
  const isIt = from.isInOnePiece && from.by === undefined && from.format === goal.format;
  if (from.isAsAsked || isIt) {
    return [...(from.empties ? [{ step: "rearrange", goal: "zeros" } as const] : []), ...wished(from, wishes)];
  }
  const relocation = from.relocates ? [RELOCATE] : [];
  if (from.by !== undefined && goal.format !== from.by.format) {
    return [switchTo(from.by.format), ...relocation, ...pathTo(arrivedAt(from.by, from), goal, carrier, wishes)];
  }
  if (goal.by !== undefined && from.format !== goal.by.format) {
    return [...inOnePiece(from, switchTo(goal.by.format), carrier), ...relocation, switchTo(goal.format, true)];
  }
  const last = switchTo(goal.format, true);
  if (goal.isPacked) return [...packed(from, carrier), last];
  if (!goal.isInOnePiece) {
    const { front = 0, gathering } = from;
    if (gathering) return [...toBeGathered(gathering), last, ...wished(goal, wishes)];
    const clearing: Step[] = front > 0 ? [{ ...switchTo(carrier.format), front }] : [];
    return [...clearing, last, ...wished(goal, wishes)];
  }
  return [...inOnePiece(from, last, carrier), ...relocation];
}

const RELOCATE: Step = { step: "rearrange", goal: "relocate" };

function toBeGathered({ by, isHere, isIdle, room }: GatheringStand): readonly Step[] {
  const gather: readonly Step[] = isIdle ? [] : [{ step: "rearrange", goal: "gather" }];
  return isHere ? gather : [{ ...switchTo(by), isCarrier: true, room }, ...gather];
}

/** Ends with `last`, the switch to a disk in one piece. */
function inOnePiece(from: PathFrom, last: Step, carrier: Waypoint): readonly Step[] {
  if (from.isInOnePiece) return [last];
  const linear: Step = { step: "rearrange", goal: "linear" };
  if (from.standing === "in place") return [last];
  if (from.standing === "cleared" && from.format === carrier.format) return [linear, last];
  const gathered = from.gathering ? toBeGathered(from.gathering) : [];
  return [...gathered, { step: "switch", to: carrier.format, isCarrier: true, isGoal: false }, linear, last];
}

function packed(from: PathFrom, { format }: Waypoint): readonly Step[] {
  const pack: Step = { step: "rearrange", goal: "pack" };
  if (from.standing === "in place") return [];
  if (from.standing === "cleared" && from.format === format) return [pack];
  const gathered = from.gathering ? toBeGathered(from.gathering) : [];
  return [...gathered, { step: "switch", to: format, isCarrier: true, isGoal: false, packs: true }, pack];
}

function wished({ canRearrange }: Waypoint, { compact, compress }: PathWishes): Step[] {
  const steps: Step[] = [];
  if (compress) steps.push({ step: "rearrange", goal: "encode" });
  if (compact && canRearrange) steps.push({ step: "rearrange", goal: "compact" });
  return steps;
}

function switchTo(format: string, isGoal = false): Step & { readonly step: "switch" } {
  return { step: "switch", to: format, isCarrier: false, isGoal };
}

function arrivedAt(waypoint: Waypoint, { goalFront = 0, gathering }: PathFrom): PathFrom {
  return { ...waypoint, isAsAsked: false, standing: "elsewhere", goalFront, front: goalFront, gathering };
}
