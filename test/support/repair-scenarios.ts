/** The repairs of the crash suite, smallest first. */

import { damagedImage } from "./repair-stand-in.ts";
import type { RepairScenario } from "./repair-trial.ts";

export function repairScenarios(): RepairScenario[] {
  const scenario = (damaged: RepairScenario["damaged"], options: RepairScenario["options"] = {}): RepairScenario => ({
    name: damaged.name,
    damaged,
    options: { repair: "all", ...options },
  });
  const small = { clusterBits: 12 };
  return [
    scenario(damagedImage("in place", small, "in place")),
    scenario(damagedImage("in place, clusters of one sector", { snapshot: true }, "in place")),
    scenario(damagedImage("in place, a file that ends inside a sector", small, "in place", 100)),
    scenario(damagedImage("rebuilt", small, "rebuilt")),
    scenario(damagedImage("rebuilt, a file that ends inside a cluster", { bitmap: true }, "rebuilt", 700)),
    scenario(damagedImage("rebuilt, undo kept", { ...small, snapshot: true }, "rebuilt"), { keepUndo: true }),
    scenario(damagedImage("in place, journal elsewhere", small, "in place"), { journal: "/vm/elsewhere/journal" }),
  ];
}
