/** What the command line asks of the library: a part of the public index, and in tests a stand-in. */

import type {
  ChecksumAlgorithm,
  ChecksumReport,
  CompareReport,
  ConversionReport,
  ConvertOptions,
  OpenOptions,
  RecoveryReport,
} from "../index.ts";

type Watched = Pick<OpenOptions, "onProgress" | "signal">;

export interface Library {
  convert(path: string, targetFormat: string, options?: ConvertOptions): Promise<ConversionReport>;
  plan(
    path: string,
    targetFormat: string,
    options?: ConvertOptions,
  ): Promise<{ readonly report: ConversionReport; readonly text: string }>;
  resume(path: string, options?: Watched): Promise<RecoveryReport>;
  rollback(path: string, options?: Watched): Promise<RecoveryReport>;
  checksum(path: string, options?: OpenOptions & { readonly algorithm?: ChecksumAlgorithm }): Promise<ChecksumReport>;
  compare(
    a: string,
    b: string,
    options?: Watched & { readonly formatA?: string; readonly formatB?: string; readonly backingChain?: boolean },
  ): Promise<CompareReport>;
  info(
    path: string,
    options?: OpenOptions,
  ): Promise<{ readonly json: Readonly<Record<string, unknown>>; readonly text: string }>;
  map(path: string, options?: OpenOptions): Promise<{ readonly json: readonly object[]; readonly text: string }>;
  setmap(path: string, guestOffset: number, hostOffset: number, length: number, options?: OpenOptions): Promise<void>;
  targetOptions(format: string): readonly {
    readonly name: string;
    readonly kind: "size" | "number" | "boolean" | "choice";
    readonly choices?: readonly string[];
    readonly help: string;
  }[];
  makeDemoImage(
    path: string,
  ): Promise<{ readonly virtualSize: number; readonly dataBytes: number; readonly fileSize: number }>;
}
