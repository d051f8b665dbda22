/** One image of the corpus: what it shows is in its name, how it was made in the code beside it. */

import type { ImageErrorKind } from "../../src/bytes/image-error.ts";

export interface CorpusCase {
  /** `accept/<format>/<what-it-shows>` or `refuse/<format>/<kind>--<why>`. */
  readonly name: string;
  readonly bytes: Buffer;
  /** What lies beside it, by plain name. */
  readonly beside?: Readonly<Record<string, Buffer>>;
  /** `-f`; probed where absent. */
  readonly format?: string;
  /** What it is converted to. */
  readonly target: string;
  /** What `qemu-img info` of QEMU 7.2 does with it: where it opens what we refuse, only our check stands in the way. */
  readonly qemu: "opens" | "refuses";
  /** Of a refusal: what its sentence must name. */
  readonly says?: RegExp;
}

export interface RefusedCase extends CorpusCase {
  readonly says: RegExp;
}

/** `refuse/qcow2/corrupt--l1-unaligned` is refused as `corrupt`. */
export function kindOf({ name }: CorpusCase): ImageErrorKind {
  return /^refuse\/[^/]+\/(.+?)--/.exec(name)?.[1] as ImageErrorKind;
}
