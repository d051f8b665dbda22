/** Options of a VHDX target, with qemu-img's names, what is chosen where the user names nothing, and what the format can't hold. */

import { isAligned, isPowerOfTwo, MiB, SECTOR_SIZE, TiB } from "../../../bytes/align.ts";
import { UsageError } from "../../../bytes/image-error.ts";
import type { Words } from "../../../bytes/sentence.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { TargetOption, TargetOptionValues } from "../../../image/target-options.ts";
import { judgeUnkept } from "../../../image/unkept.ts";
import { MAX_BLOCK_SIZE, MAX_VIRTUAL_SIZE, MIN_BLOCK_SIZE } from "../header/metadata.ts";
import { BAT_ENTRY_SIZE, batLayoutOf } from "../tables/bat-entry.ts";

export const VHDX_TARGET_OPTIONS: readonly TargetOption[] = [
  {
    name: "subformat",
    kind: "choice",
    choices: ["dynamic", "fixed"],
    neverMade: "fixed",
    help: "Type of VHDX: dynamic; fixed is read, not written",
  },
  {
    name: "block_size",
    kind: "size",
    help: "Bytes of a block, a power of two from 1M to 256M; by default the smallest whose table has at most 8M",
  },
];

/** The smaller a block, the more stays where it is. QEMU reads the whole table when it opens an image. */
const USUAL_BAT_SIZE = 8 * MiB;

/** Throws UsageError for values that no source could use. */
export function chooseBlockSize(virtualSize: number, { subformat, block_size: asked = 0 }: TargetOptionValues): number {
  if (subformat === "fixed") throw new UsageError("Cannot write a VHDX with subformat=fixed: use dynamic");
  // As for qemu-img, 0 leaves it open.
  if (asked !== 0) {
    const isOne = isPowerOfTwo(Number(asked)) && Number(asked) >= MIN_BLOCK_SIZE && Number(asked) <= MAX_BLOCK_SIZE;
    if (isOne) return Number(asked);
    throw new UsageError(`Cannot use block_size=${asked}: expected a power of two from 1M to 256M`);
  }
  let blockSize = MIN_BLOCK_SIZE;
  const batSize = () => batLayoutOf(virtualSize, blockSize).entryCount * BAT_ENTRY_SIZE;
  while (blockSize < MAX_BLOCK_SIZE && batSize() > USUAL_BAT_SIZE) blockSize *= 2;
  return blockSize;
}

/** All that a VHDX can't hold, and what is left behind. */
export function judgeSource(source: ConversionOptions, drop: ReadonlySet<string>) {
  const { virtualSize, backing } = source;
  const unkept = judgeUnkept(source, { hasNone: "a VHDX has none", name: "a VHDX" }, drop);
  const refusals: Words[] = [...unkept.refusals];
  if (backing !== undefined) {
    const what = "a VHDX names its parent by an id that the backing file has not";
    refusals.push(`Cannot keep the backing file: ${what}; commit or rebase the image first`);
  }
  if (virtualSize === 0 || virtualSize > MAX_VIRTUAL_SIZE || !isAligned(virtualSize, SECTOR_SIZE)) {
    const most = `whole sectors, up to ${MAX_VIRTUAL_SIZE / TiB} TiB of them`;
    refusals.push(`Cannot make a VHDX of a disk of ${virtualSize} bytes: it has ${most}`);
  }
  return { refusals, dropped: unkept.dropped };
}
