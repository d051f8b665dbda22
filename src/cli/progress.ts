/** Progress on stderr: a bar with rate and remaining time where a person looks on, a line every 10 s elsewhere. */

import type { Options, Params } from "cli-progress";
import { formatSize, type Progress, type Stage } from "../index.ts";
import type { Terminal } from "./terminal.ts";

const LINE_EVERY_MS = 10_000;
const BAR_WIDTH = 30;

export interface ProgressDisplay {
  onProgress(progress: Progress): void;
  /** Takes the bar away; harmless when there is none. */
  end(): void;
}

export async function showProgress(terminal: Terminal): Promise<ProgressDisplay> {
  return terminal.bar === undefined ? showLines(terminal) : showBar(terminal, terminal.bar);
}

function showLines(terminal: Terminal): ProgressDisplay {
  const pace = new Pace(terminal);
  let last = terminal.now();
  return {
    onProgress(progress) {
      pace.see(progress);
      if (terminal.now() - last < LINE_EVERY_MS) return;
      last = terminal.now();
      terminal.note(`${progress.stage}: ${pace.describe(progress)}`);
    },
    end() {},
  };
}

async function showBar(terminal: Terminal, stream: NodeJS.WritableStream): Promise<ProgressDisplay> {
  // Loaded where a bar is shown: it takes as long as converting a small image.
  const { SingleBar } = await import("cli-progress");
  const pace = new Pace(terminal);
  let current: Progress | undefined;
  const format = (options: Options, params: Params) => {
    if (current === undefined) return "";
    const filled = Math.round(Math.min(1, Math.max(0, params.progress)) * BAR_WIDTH);
    const bar = `${options.barCompleteString}`.slice(0, filled) + `${options.barIncompleteString}`.slice(filled);
    return `${current.stage.padEnd(9)} ${bar.slice(0, BAR_WIDTH)} ${pace.describe(current)}`;
  };
  const glyphs = { barCompleteChar: "\u2588", barIncompleteChar: "\u2591" };
  const bar = new SingleBar({ ...glyphs, format, stream, barsize: BAR_WIDTH, clearOnComplete: true, fps: 8 });
  let isRunning = false;
  return {
    onProgress(progress) {
      pace.see(progress);
      current = progress;
      if (!isRunning) bar.start(progress.total, progress.done);
      isRunning = true;
      bar.setTotal(progress.total);
      bar.update(progress.done);
    },
    end() {
      if (isRunning) bar.stop();
      isRunning = false;
    },
  };
}

/** How fast the stage at hand goes, from when it was first seen. */
class Pace {
  readonly #terminal: Terminal;
  #stage: Stage | undefined;
  #start = 0;
  #doneAtStart = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  see({ stage, done }: Progress): void {
    if (stage === this.#stage && done >= this.#doneAtStart) return;
    this.#stage = stage;
    this.#start = this.#terminal.now();
    this.#doneAtStart = done;
  }

  describe({ done, total }: Progress): string {
    const seconds = (this.#terminal.now() - this.#start) / 1000;
    const rate = seconds > 0 ? (done - this.#doneAtStart) / seconds : 0;
    const amount =
      total > 0 ? `${formatSize(done)} of ${formatSize(total)} (${percent(done, total)} %)` : formatSize(done);
    if (rate <= 0) return amount;
    const left = total > done ? `, ${formatDuration((total - done) / rate)} left` : "";
    return `${amount}, ${formatSize(rate)}/s${left}`;
  }
}

function percent(done: number, total: number): number {
  return Math.min(100, Math.floor((100 * done) / total));
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
