/**
 * The `blkhash-sha256` of disks that hold nothing but zeros. The digest over the digests of their blocks is one chain,
 * which no arithmetic shortens: 32 bytes for each 64 KiB, half a gigabyte for each TiB. So of the sizes that empty
 * disks of that order mostly have it is known beforehand (docs/decisions/digests-of-empty-disks.md).
 */

import { TiB } from "../../bytes/align.ts";

/** By the size in TiB; `scripts/zero-disks.ts` computes them. */
export const ZERO_DISKS: ReadonlyMap<number, string> = new Map([
  [1, "e3918f867fb182a40237a7b7e30ba90dbd78defcf6ac1c502bff489670e79f85"],
  [2, "4e7ba7eea38f82d320e543eadb3c6d0a82253818e6a903d0665e6731f07d28cb"],
  [4, "7ecbcf56af3648e201ce63d59a890692cb8d225e5f958805a5ac7e77eadc5dfb"],
  [8, "0afc4ddab3f8cc1e11794fc5d5763518cad87de51789200d01191b1474e4a765"],
  [16, "4d3ae5723358aa1a07050253ba63bd78770cf6c53082f11681c3360ca3521eae"],
  [32, "79e4fe67cfa6549f290ac010f211f97ca839aa6175498de8292da51af69e65a7"],
  [64, "3ecfc46f47626a95868cf4ea49f85285939c56d4cb45a2623f0f932f91b2efb0"],
  [128, "e2d828a4812218100fed7237c084efdfb1fb5a331a2aa0adcd69b339f7112678"],
  [256, "10d1a68dff127973b2eb17ca84af948f70726ebb551c74bd053e4a72e17ef547"],
  [512, "0455529c5b929a5d4f8697ca1da9d5abd46a7109681acb3711471b9aa5f2fa94"],
  [1024, "b89f1e228f74a4f7e5e72244f44593949692e3cb5932fab72e9e69c7f4271d40"],
]);

/** Undefined where it is not known, and has to be computed. */
export function digestOfZeroDisk(virtualSize: number): string | undefined {
  return ZERO_DISKS.get(virtualSize / TiB);
}
