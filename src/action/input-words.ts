/** The library speaks of the command line's options; here they are inputs. */

/** `--drop bitmaps` becomes `drop: bitmaps`, `-f raw` `source-format: raw`; all else stays. */
export function inInputWords(text: string): string {
  return text
    .replaceAll(", or take its own bytes for the disk with --allow-marked-raw", "")
    .replaceAll("inplace-convert check -r all", "set repair to all")
    .replaceAll(/(?<=^|[ (])-f (raw|qcow2|qed)\b/g, "source-format: $1")
    .replaceAll(/(?<=^|[ (])-f(?=[ ;,.)]|$)/g, "source-format")
    .replaceAll(/(?<=^|[ (])--drop (bitmaps|snapshots)\b/g, "drop: $1")
    .replaceAll(/(?<=^|[ (])--(backing-chain|keep-undo)\b/g, "$1: true");
}
