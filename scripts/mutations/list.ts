/** All mutations. An anchor must stand in its file exactly once: who rewrites a place moves its mutations along. */

import { adoptionMutations } from "./adoption.ts";
import { convertMutations } from "./convert.ts";
import { encodeMutations } from "./encode.ts";
import { facesMutations } from "./faces.ts";
import { frontTargetMutations } from "./front-targets.ts";
import { gatherMutations } from "./gather.ts";
import { gptMutations } from "./gpt.ts";
import { journalMutations } from "./journal.ts";
import type { Mutation } from "./mutation.ts";
import { nameMutations } from "./names.ts";
import { ovaMutations } from "./ova.ts";
import { packMutations } from "./pack.ts";
import { parallelsMutations } from "./parallels.ts";
import { pathMutations } from "./paths.ts";
import { placeMutations } from "./places.ts";
import { planMutations } from "./plan.ts";
import { qcowMutations } from "./qcow.ts";
import { qcow2CheckMutations } from "./qcow2-check.ts";
import { qcow2MoveMutations } from "./qcow2-moves.ts";
import { readingMutations } from "./reading.ts";
import { recoveryMutations } from "./recovery.ts";
import { relocationMutations } from "./relocation.ts";
import { repairMutations } from "./repair.ts";
import { rewritingMutations } from "./rewriting.ts";
import { scheduleMutations } from "./schedule.ts";
import { splitMutations } from "./split.ts";
import { storageMutations } from "./storage.ts";
import { surroundingsMutations } from "./surroundings.ts";
import { undoCopyMutations } from "./undo-copy.ts";
import { vdiMutations } from "./vdi.ts";
import { vhdxMutations } from "./vhdx.ts";
import { vmdkMutations } from "./vmdk.ts";
import { vpcMutations } from "./vpc.ts";
import { watchMutations } from "./watch.ts";

export const mutations: readonly Mutation[] = [
  ...convertMutations,
  ...recoveryMutations,
  ...pathMutations,
  ...rewritingMutations,
  ...watchMutations,
  ...repairMutations,
  ...journalMutations,
  ...planMutations,
  ...scheduleMutations,
  ...placeMutations,
  ...qcow2CheckMutations,
  ...qcow2MoveMutations,
  ...qcowMutations,
  ...encodeMutations,
  ...packMutations,
  ...vpcMutations,
  ...vdiMutations,
  ...parallelsMutations,
  ...vmdkMutations,
  ...splitMutations,
  ...ovaMutations,
  ...vhdxMutations,
  ...frontTargetMutations,
  ...nameMutations,
  ...storageMutations,
  ...adoptionMutations,
  ...facesMutations,
  ...gatherMutations,
  ...gptMutations,
  ...undoCopyMutations,
  ...relocationMutations,
  ...readingMutations,
  ...surroundingsMutations,
];
