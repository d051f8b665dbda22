/** Damaged qcow2 images, and for some a repair that knows what is wrong: so that the engine is tested by itself. */

import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import type { Finding } from "../../src/image/finding.ts";
import type { Repair, RepairStep } from "../../src/image/repair.ts";
import type { Image } from "../../src/image/source.ts";
import type { Write } from "../../src/image/write.ts";
import { readZeroFilled } from "../../src/storage/storage.ts";
import { buildQcow2Image, type Qcow2ImageDescription, type Qcow2Places } from "../formats/qcow2/builder.ts";

export interface DamagedImage {
  readonly name: string;
  readonly bytes: Buffer;
  /** What planRepair returns for it, from the image as it is then; the driver's own where undefined. */
  readonly plan: ((image: Image) => Promise<Repair>) | undefined;
}

/** An image damaged by hand, for the driver's own repair. */
export function damagedByHand(
  name: string,
  description: Qcow2ImageDescription,
  damage: (bytes: Buffer, at: Qcow2Places) => void,
): DamagedImage {
  const { bytes, at } = buildQcow2Image(description);
  damage(bytes, at);
  return { name, bytes, plan: undefined };
}

const DIRTY = 1n;

/**
 * Refcounts that are too low and too high, in every sector of the block, and the dirty bit. `rebuilt` gets a new
 * refcount table and block past the end; else the old ones are mended in place.
 */
export function damagedImage(
  name: string,
  description: Qcow2ImageDescription,
  way: "in place" | "rebuilt",
  tail = 0,
): DamagedImage & { readonly plan: NonNullable<DamagedImage["plan"]> } {
  const { bytes: whole, at } = buildQcow2Image({ ...description, incompatible: DIRTY });
  const bytes = Buffer.concat([whole, Buffer.alloc(tail, 0xee)]);
  const perBlock = at.clusterSize / 2;
  const right = Array.from({ length: perBlock }, (_, cluster) => bytes.readUInt16BE(at.refcountBlock + cluster * 2));
  const wrong = right.slice();
  wrong[at.data / at.clusterSize] = 0;
  wrong[at.l2 / at.clusterSize] = 5;
  for (let cluster = 200; cluster < perBlock; cluster += 256) wrong[cluster] = 1;
  for (const [cluster, count] of wrong.entries()) bytes.writeUInt16BE(count, at.refcountBlock + cluster * 2);

  const inPlace = (found: Buffer): { steps: RepairStep[]; count: number } => {
    const writes = (isWanted: (is: number, shall: number) => boolean): Write[] =>
      right.flatMap((shall, cluster) => {
        const hostOffset = at.refcountBlock + cluster * 2;
        return isWanted(found.readUInt16BE(hostOffset), shall) ? [{ hostOffset, bytes: u16(shall) }] : [];
      });
    const [raised, lowered] = [writes((is, shall) => is < shall), writes((is, shall) => is > shall)];
    return {
      steps: [
        { purpose: "raise refcounts", writes: raised },
        { purpose: "lower refcounts", writes: lowered },
      ],
      count: raised.length + lowered.length,
    };
  };
  const clearDirty = (found: Buffer): RepairStep => ({
    purpose: "clear the dirty bit",
    writes: (found.readUInt8(79) & 1) === 0 ? [] : [{ hostOffset: 79, bytes: Uint8Array.of(0) }],
  });
  return {
    name,
    bytes,
    async plan(image) {
      const found = Buffer.from(await readZeroFilled(image.storage, 0, image.fileSize));
      if (way === "in place" || Number(found.readBigUInt64BE(48)) !== at.refcountTable) {
        const { steps, count } = Number(found.readBigUInt64BE(48)) === at.refcountTable ? inPlace(found) : NO_STEPS;
        return repairOf([...steps, clearDirty(found)], count, [], image.fileSize);
      }
      const start = Math.ceil(found.length / at.clusterSize) * at.clusterSize;
      const table = Buffer.alloc(at.clusterSize);
      table.writeBigUInt64BE(BigInt(start + at.clusterSize));
      const block = Buffer.alloc(at.clusterSize);
      for (const [cluster, count] of right.entries()) block.writeUInt16BE(count, cluster * 2);
      for (const place of [at.refcountTable, at.refcountBlock]) block.writeUInt16BE(0, (place / at.clusterSize) * 2);
      for (const place of [start, start + at.clusterSize]) block.writeUInt16BE(1, (place / at.clusterSize) * 2);
      const pointer = Buffer.alloc(8);
      pointer.writeBigUInt64BE(BigInt(start));
      const steps = [{ purpose: "point at the new refcounts", writes: [{ hostOffset: 48, bytes: pointer }] }];
      const added = [
        { hostOffset: start, bytes: table },
        { hostOffset: start + at.clusterSize, bytes: block },
      ];
      return repairOf([...steps, clearDirty(found)], 1, added, start + 2 * at.clusterSize);
    },
  };
}

const NO_STEPS: { readonly steps: readonly RepairStep[]; readonly count: number } = { steps: [], count: 0 };

function repairOf(steps: readonly RepairStep[], count: number, added: readonly Write[], fileSize: number): Repair {
  const mended: Finding[] =
    count === 0
      ? []
      : [{ severity: "corruption", kind: "stand-in", structure: "refcount block", message: "m", line: "Repairing it" }];
  return {
    additiveWrites: () => added,
    steps,
    fileSize,
    mended,
    leaksFixed: 1,
    corruptionsFixed: count,
    losses: [],
    givenUp: [],
  };
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** Lets every qcow2 image be repaired by `plan`, if there is one, while `perform` runs. */
export async function withPlan<T>(plan: DamagedImage["plan"], perform: () => Promise<T>): Promise<T> {
  if (plan === undefined) return perform();
  const prototype = Qcow2Image.prototype as unknown as { planRepair?: (this: Image) => Promise<Repair> };
  const own = Object.getOwnPropertyDescriptor(prototype, "planRepair");
  prototype.planRepair = function planRepair(this: Image) {
    return plan(this);
  };
  try {
    return await perform();
  } finally {
    if (own === undefined) delete prototype.planRepair;
    else Object.defineProperty(prototype, "planRepair", own);
  }
}
