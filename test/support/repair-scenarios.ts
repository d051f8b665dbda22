/** The repairs of the crash suite, smallest first. */

import { buildParallels } from "../formats/parallels/builder.ts";
import type { Qcow2Places } from "../formats/qcow2/builder.ts";
import { damagedByHand, damagedImage } from "./repair-stand-in.ts";
import type { RepairScenario } from "./repair-trial.ts";

/** Its last writer did not close it. */
function leftOpenParallels(name: string): RepairScenario["damaged"] {
  const { bytes } = buildParallels({ virtualSize: 200 * 4096, data: [0, 1, 150], inUse: 0x746f6e59 });
  return { name, bytes: Buffer.from(bytes), plan: undefined };
}

export function repairScenarios(): RepairScenario[] {
  const scenario = (damaged: RepairScenario["damaged"], options: RepairScenario["options"] = {}): RepairScenario => ({
    name: damaged.name,
    damaged,
    options: { repair: "all", ...options },
  });
  const small = { clusterBits: 12 };
  const refcount = (bytes: Buffer, at: Qcow2Places, place: number, value: number) =>
    bytes.writeUInt16BE(value, at.refcountBlock + (place / at.clusterSize) * 2);
  const clearCopied = (bytes: Buffer, place: number) => bytes.writeUInt8(bytes.readUInt8(place) & 0x7f, place);
  return [
    scenario(damagedImage("in place", small, "in place")),
    scenario(damagedImage("in place, clusters of one sector", { snapshot: true }, "in place")),
    scenario(damagedImage("in place, a file that ends inside a sector", small, "in place", 100)),
    scenario(damagedImage("rebuilt", small, "rebuilt")),
    scenario(damagedImage("rebuilt, a file that ends inside a cluster", { bitmap: true }, "rebuilt", 700)),
    scenario(damagedImage("rebuilt, undo kept", { ...small, snapshot: true }, "rebuilt"), { keepUndo: true }),
    scenario(
      damagedByHand("qcow2: refcounts, flags, both marks", { ...small, incompatible: 3n }, (bytes, at) => {
        refcount(bytes, at, at.data, 3);
        refcount(bytes, at, at.l1, 9);
        clearCopied(bytes, at.l1);
        clearCopied(bytes, at.l2 + 8);
      }),
    ),
    scenario(
      damagedByHand("qcow2: a cluster used by two entries", { ...small, incompatible: 1n }, (bytes, at) => {
        bytes.copy(bytes, at.l2 + 8, at.l2, at.l2 + 8);
        refcount(bytes, at, at.data + at.clusterSize, 4);
      }),
    ),
    scenario(
      damagedByHand("qcow2: no refcount block", { snapshot: true }, (bytes, at) => {
        bytes.writeBigUInt64BE(0n, at.refcountTable);
      }),
    ),
    scenario(
      damagedByHand("qcow2: a refcount block that guest data lies on", { ...small, incompatible: 2n }, (bytes, at) => {
        bytes.writeBigUInt64BE(BigInt(at.data), at.refcountTable);
      }),
      { keepUndo: true },
    ),
    scenario(
      damagedByHand("qcow2: leaks alone", { snapshot: true, bitmap: true }, (bytes, at) => {
        for (const place of [at.l2, at.snapshots, at.end]) refcount(bytes, at, place, 7);
      }),
      { repair: "leaks" },
    ),
    scenario(
      damagedByHand("qcow2: leaks, an autoclear bit that nobody knows", small, (bytes, at) => {
        bytes.writeBigUInt64BE(1n << 5n, 88);
        refcount(bytes, at, at.l2, 7);
      }),
      { repair: "leaks", keepUndo: true },
    ),
    scenario(leftOpenParallels("parallels: the mark")),
    scenario(leftOpenParallels("parallels: the mark, undo kept"), { keepUndo: true }),
    scenario(damagedImage("in place, journal elsewhere", small, "in place"), { journal: "/vm/elsewhere/journal" }),
  ];
}
