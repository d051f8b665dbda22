/** Trying again: which answers pass, and how long to wait. */

import { ImageError } from "../../index.ts";
import type { Retries } from "../source/settings.ts";
import { shownUrl } from "../source/source-url.ts";
import { ConnectionLost, type HttpAnswer, type HttpRequest, httpRequest } from "./request.ts";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
const PASSING_STATUS = [408, 425, 429, 500, 502, 503, 504];

/** How often a request is tried again, and how long it waits before. */
export class RetryBudget {
  readonly #retries: Retries;
  readonly #signal: AbortSignal;
  #failures = 0;

  constructor(retries: Retries, signal: AbortSignal) {
    this.#retries = retries;
    this.#signal = signal;
  }

  /** Bytes came: the next failure is the first again. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits for the next try, or throws `error` where there is none. */
  async next(error: Error, retryAfter?: number): Promise<void> {
    if (this.#failures >= this.#retries.count) throw givenUp(error, this.#failures + 1);
    const wait = Math.min(retryAfter ?? FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures++;
    await this.#retries.wait(wait, this.#signal);
  }
}

/** An answer that is of use: its status is one of `accepted`. Others throw ImageError `io`, at once or when the budget is spent. */
export async function requestWithRetries(
  request: HttpRequest,
  accepted: readonly number[],
  budget: RetryBudget,
): Promise<HttpAnswer> {
  for (;;) {
    let failure: Error;
    let retryAfter: number | undefined;
    try {
      const answer = await httpRequest(request);
      if (accepted.includes(answer.status)) return answer;
      answer.drop();
      failure = new ImageError("io", `Cannot download ${shownUrl(request.url)}: ${statusText(answer.status)}`, {
        operation: "download",
      });
      if (!PASSING_STATUS.includes(answer.status)) throw failure;
      retryAfter = readRetryAfter(answer.headers["retry-after"]);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      failure = error;
    }
    await budget.next(failure, retryAfter);
  }
}

/** In milliseconds; given in seconds or as a date. */
function readRetryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}

function statusText(status: number): string {
  const hints: Readonly<Record<number, string>> = {
    401: "; give credentials by headers or github-token",
    403: "; give credentials by headers or github-token",
    404: "; look whether the address is right, and whether it needs credentials",
  };
  return `the server answered ${status}${hints[status] ?? ""}`;
}

function givenUp(error: Error, tries: number): ImageError {
  return new ImageError("io", `${error.message} (${tries} ${tries === 1 ? "try" : "tries"})`, {
    operation: "download",
    cause: error,
  });
}
