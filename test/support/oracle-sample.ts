/** Of wide grids of cases `npm test` takes every so many, by seed; ORACLE=all takes all. */

const { ORACLE, ORACLE_SEED = "1" } = process.env;

/** Every `step`-th of the cases; another ORACLE_SEED begins elsewhere. Never none. */
export function sampled<Case>(cases: readonly Case[], step: number): readonly Case[] {
  if (ORACLE === "all") return cases;
  const first = Number(ORACLE_SEED) % Math.min(step, cases.length);
  return cases.filter((_, at) => at % step === first);
}
