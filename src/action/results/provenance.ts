/** By what, when and in which run a report was made: for whoever finds it later without its run. */

import manifest from "../../../package.json" with { type: "json" };

/** Of the JSON report: rises when a reader of the one before could take a field for something else. */
export const SCHEMA_VERSION = 1;

export interface Provenance {
  readonly tool: "inplace-convert";
  readonly toolVersion: string;
  /** ISO 8601 in UTC: when the work was over and its report was made. */
  readonly time: string;
  /** `owner/name`. These four only where a runner tells them. */
  readonly repository?: string;
  /** That the workflow ran on. */
  readonly commit?: string;
  readonly runId?: string;
  /** From 1. */
  readonly runAttempt?: string;
}

export function provenanceOf(environment: NodeJS.ProcessEnv, now: Date): Provenance {
  const { GITHUB_REPOSITORY, GITHUB_SHA, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT } = environment;
  return {
    tool: "inplace-convert",
    toolVersion: manifest.version,
    time: now.toISOString(),
    ...(GITHUB_REPOSITORY && { repository: GITHUB_REPOSITORY }),
    ...(GITHUB_SHA && { commit: GITHUB_SHA }),
    ...(GITHUB_RUN_ID && { runId: GITHUB_RUN_ID }),
    ...(GITHUB_RUN_ATTEMPT && { runAttempt: GITHUB_RUN_ATTEMPT }),
  };
}
