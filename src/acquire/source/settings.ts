/** What a download may take and whom it tells: settings with their defaults. */

import { setTimeout as sleep } from "node:timers/promises";

export interface Limits {
  /** Of one download, in bytes. */
  readonly downloadBytes: number;
  /** Of what is unpacked from one download, holes included, in bytes. */
  readonly unpackedBytes: number;
  /** For one download in all, in seconds. */
  readonly seconds: number;
  /** That the other side may say nothing, in seconds. */
  readonly stallSeconds: number;
}

export const DEFAULT_LIMITS: Limits = {
  downloadBytes: 2 ** 40,
  unpackedBytes: 2 ** 40,
  // A job of GitHub's own runners ends after six hours.
  seconds: 6 * 3600,
  stallSeconds: 60,
};

export interface Retries {
  /** After the first try; the count begins anew whenever bytes came. */
  readonly count: number;
  /** Rejects when `signal` aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const DEFAULT_RETRIES: Retries = {
  count: 5,
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

export interface DownloadProgress {
  /** Bytes as downloaded. */
  readonly received: number;
  /** Undefined where the server doesn't say. */
  readonly total: number | undefined;
}
