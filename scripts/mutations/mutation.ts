/** One defect put into a copy of the source on purpose, and the tests that must see it. */

export interface Mutation {
  /** What the mutant does wrong, in a few words; unique. */
  readonly name: string;
  /** Below `src`. */
  readonly file: string;
  /** Stands in the file exactly once, so that nobody mutates a place that is gone. */
  readonly find: string;
  readonly replace: string;
  /**
   * Cheapest first; the first failing test ends the trial. `FILE` or `FILE > NAME`, where NAME is a part of the names of the
   * tests to run.
   */
  readonly tests: readonly string[];
}
