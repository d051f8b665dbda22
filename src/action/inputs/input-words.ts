/** The library speaks of the command line's options and of its own; here they are inputs. */

/** What the library calls its options where they aren't called as the inputs. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  maxExtraSpace: "max-extra-space",
  crossCheck: "cross-check",
  keepUndo: "keep-undo",
  backingChain: "backing-chain",
  dryRun: "dry-run",
};
const OWN_NAME = new RegExp(`(?<=^|[ ("])(?:${Object.keys(OWN_NAMES).join("|")})\\b`, "g");

/** `--drop bitmaps` becomes `drop: bitmaps`, `-f raw` `source-format: raw`; all else stays. */
export function inInputWords(text: string): string {
  return (
    text
      .replaceAll(", or take its own bytes for the disk with --allow-marked-raw", "")
      .replaceAll("inplace-convert check -r all", "set repair to all")
      // What stands in a command of qemu-img's is its own.
      .replaceAll(/(?<=^|[ (])(?<!qemu-img [^;,]*)-f ([a-z]\w*)/g, "source-format: $1")
      .replaceAll(/(?<=^|[ (])(?<!qemu-img [^;,]*)-f(?=[ ;,.)]|$)/g, "source-format")
      .replaceAll(/(?<=^|[ (])--drop ((?:bitmaps|snapshots|leaks)(?:,(?:bitmaps|snapshots|leaks))*)\b/g, "drop: $1")
      .replaceAll(/(?<=^|[ (])--(backing-chain|keep-undo)\b/g, "$1: true")
      .replaceAll(/(?<=^|[ (])--no-check\b/g, "check: false")
      .replaceAll(/(?<=^|[ (])--(checksum|verify|cross-check) (\w[\w-]*)/g, "$1: $2")
      .replaceAll(/(?<=^|[ (])--(checksum|verify|cross-check|max-extra-space|drop)(?=[ ;:,.)]|$)/g, "$1")
      .replaceAll(/(?<=^|[ (])-o (\w+=)/g, "options: $1")
      .replaceAll(OWN_NAME, (name) => OWN_NAMES[name] ?? name)
  );
}
