/** Whether a run may use the cache: what a less trusted run could have put there must not end up in a release. */

export type CacheChoice = "true" | "false" | "auto";

export interface CacheUse {
  readonly mayRestore: boolean;
  readonly maySave: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Those that release, and those that run with a trust which the change they look at hasn't earned. */
const UNTRUSTED_EVENTS = ["release", "pull_request_target", "workflow_run"];

export function cacheUse(choice: CacheChoice, environment: Environment): CacheUse {
  const isOn = choice === "true" || (choice === "auto" && isTrusted(environment));
  if (!isOn || !isThere(environment)) return { mayRestore: false, maySave: false };
  const mode = environment.ACTIONS_CACHE_MODE;
  return { mayRestore: mode !== "none" && mode !== "write-only", maySave: mode !== "none" && mode !== "read" };
}

function isTrusted(environment: Environment): boolean {
  const isTag = environment.GITHUB_REF_TYPE === "tag" || environment.GITHUB_REF?.startsWith("refs/tags/");
  return !isTag && !UNTRUSTED_EVENTS.includes(environment.GITHUB_EVENT_NAME ?? "");
}

/** Outside of a runner there is no cache, and its code is never loaded. */
function isThere(environment: Environment): boolean {
  const { ACTIONS_RESULTS_URL, ACTIONS_CACHE_URL, ACTIONS_RUNTIME_TOKEN } = environment;
  return Boolean((ACTIONS_RESULTS_URL || ACTIONS_CACHE_URL) && ACTIONS_RUNTIME_TOKEN);
}
