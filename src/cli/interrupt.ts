/** Ctrl-C: the first stops at the next safe point, a second one at once, which the journal survives as well. */

import type { EventEmitter } from "node:events";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives the signals back to their defaults. */
  end(): void;
}

/** `source` is the process; `tell` gets one sentence. */
export function watchInterrupts(source: EventEmitter, tell: (line: string) => void): Interrupt {
  const controller = new AbortController();
  const end = () => {
    for (const name of SIGNALS) source.off(name, onSignal);
  };
  function onSignal(): void {
    controller.abort();
    // From now on the default holds: the next signal ends the process.
    end();
    tell("Stopping at the next safe point; press Ctrl-C again to stop at once");
  }
  for (const name of SIGNALS) source.on(name, onSignal);
  return { signal: controller.signal, end };
}
