/** What a rearrangement can be for, and who does it. A disk that is changed itself is the walk's to know: relocate.ts. */

import type { RearrangeGoal } from "../../plan/path.ts";
import { bringToPlaces } from "./bring-to-places.ts";
import { bringTogether } from "./bring-together.ts";
import { compact } from "./compact.ts";
import { emptyUnits } from "./empty-units.ts";
import { encodeUnits } from "./encode.ts";
import { packUnits } from "./pack.ts";
import type { Rearranged, RearrangeStep } from "./rearrange-step.ts";

export type UnitsGoal = Exclude<RearrangeGoal, "relocate">;

const GOALS: Readonly<Record<UnitsGoal, (step: RearrangeStep) => Promise<Rearranged>>> = {
  linear: bringToPlaces,
  gather: bringTogether,
  compact,
  encode: encodeUnits,
  pack: packUnits,
  zeros: emptyUnits,
};

/** Throws with `journal` set in the error: the image is whole, and `resume` or `rollback` goes on. */
export function rearrange(step: RearrangeStep & { readonly goal: UnitsGoal }): Promise<Rearranged> {
  return GOALS[step.goal](step);
}
