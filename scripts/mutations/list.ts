/** All mutations. An anchor must stand in its file exactly once: who rewrites a place moves its mutations along. */

import { convertMutations } from "./convert.ts";
import { journalMutations } from "./journal.ts";
import type { Mutation } from "./mutation.ts";
import { planMutations } from "./plan.ts";
import { recoveryMutations } from "./recovery.ts";
import { repairMutations } from "./repair.ts";
import { storageMutations } from "./storage.ts";

export const mutations: readonly Mutation[] = [
  ...convertMutations,
  ...recoveryMutations,
  ...repairMutations,
  ...journalMutations,
  ...planMutations,
  ...storageMutations,
];
