/** Sizes as people write and read them: qemu-img's suffixes, powers of 1024. */
/**
 * `65536`, `64k`, `1.5G`, `0x10000`: a size in bytes.
 *
 * @param what names the size in the error, e.g. `--max-extra-space`
 * @throws UsageError for anything else, for a fraction of a byte and for more than 2^53 - 1
 */
export declare function parseSize(text: string, what: string): number;
/** `1.5 MiB`, `0 bytes`: three significant digits, for people. */
export declare function formatSize(bytes: number): string;
/** `8 GiB`, and of a file with holes also what it takes on the disk: `8 GiB, 1.49 MiB on the disk`. */
export declare function fileText(fileSize: number, actualSize: number | undefined): string;
