/** A cancelled job: the runner sends SIGINT, after 7.5 s SIGTERM, after 2.5 s more it kills. */

import { info } from "@actions/core";

/** Enough to reach a safe point; then we leave at any point, for the journal makes every one safe. */
const SAFE_POINT_TIMEOUT_MS = 6000;

function leave(): never {
  info("No safe point was reached in time: leaving as it is, which the journal makes safe");
  process.exit(1);
}

/** Aborts at the first signal, so that all images stop at their next safe points. */
export function cancelSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) return;
    info("Cancelled: stopping at the next safe point");
    controller.abort();
    setTimeout(leave, SAFE_POINT_TIMEOUT_MS).unref();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}
