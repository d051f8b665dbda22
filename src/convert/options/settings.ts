/** The caller's options with every default in its place. */

import type { ChecksumAlgorithm, ConvertOptions, CrossCheck, Progress, Stage } from "./options.ts";

export interface Settings {
  readonly sourceFormat: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  readonly checksum: ChecksumAlgorithm | "none";
  readonly guestChecksum: { readonly algorithm: ChecksumAlgorithm; readonly hex: string } | undefined;
  readonly verify: "full" | "mapping";
  readonly compress: boolean;
  /** Undefined: by the source's format. */
  readonly sparseSize: number | undefined;
  /** Undefined: by the source's format. */
  readonly compact: boolean | undefined;
  readonly allowProbedGuest: boolean;
  readonly reproducible: boolean;
  readonly check: boolean;
  readonly keepUndo: boolean;
  readonly keepLeaks: boolean;
  readonly maxExtraSpace: number;
  readonly journal: string | undefined;
  readonly drop: readonly string[];
  readonly ignoreUnfinished: boolean;
  readonly backingChain: boolean;
  readonly allowMarkedRaw: boolean;
  /** Of a plan alone: other users of the image are told of, and refuse nothing. */
  readonly forceShare: boolean;
  readonly layout: boolean;
  readonly crossCheck: CrossCheck;
  readonly onJournal: (path: string) => void | Promise<void>;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal | undefined;
}

/** The options have been looked at (usage.ts). */
export function settingsOf(options: ConvertOptions): Settings {
  const checksum = options.checksum ?? "blkhash-sha256";
  return {
    sourceFormat: options.format,
    options: options.options ?? {},
    checksum,
    guestChecksum: options.guestChecksum,
    verify: checksum === "none" ? "mapping" : (options.verify ?? "full"),
    compress: options.compress ?? false,
    sparseSize: options.sparseSize,
    compact: options.compact,
    allowProbedGuest: options.allowProbedGuest ?? false,
    reproducible: options.reproducible ?? false,
    check: options.check ?? true,
    keepUndo: options.keepUndo ?? false,
    keepLeaks: options.keepLeaks ?? false,
    maxExtraSpace: options.maxExtraSpace ?? Number.POSITIVE_INFINITY,
    journal: options.journal,
    drop: options.drop ?? [],
    ignoreUnfinished: options.ignoreUnfinished ?? false,
    backingChain: options.backingChain ?? false,
    allowMarkedRaw: options.allowMarkedRaw ?? false,
    forceShare: options.forceShare ?? false,
    layout: options.layout ?? false,
    crossCheck: options.crossCheck ?? "off",
    onJournal: options.onJournal ?? (() => {}),
    onProgress: options.onProgress ?? (() => {}),
    signal: options.signal,
  };
}

/** What a journal keeps of them for those who go on; its text has them in this order. */
export type KeptSettings = Pick<
  Settings,
  "drop" | "keepLeaks" | "keepUndo" | "verify" | "check" | "checksum" | "backingChain"
>;

export function keptSettings({
  drop,
  keepLeaks,
  keepUndo,
  verify,
  check,
  checksum,
  backingChain,
}: Settings): KeptSettings {
  return { drop, keepLeaks, keepUndo, verify, check, checksum, backingChain };
}

/** A reporter of one stage's bytes. */
export function progressOf(
  settings: Pick<Settings, "onProgress">,
  stage: Stage,
): (done: number, total?: number) => void {
  return (done, total = 0) => settings.onProgress({ stage, done, total });
}
