/** A finished image gets a new name in its own folder; its undo goes with it, and nothing is ever replaced. */
/**
 * Renames an image, and its `.inplace-undo` where there is one. The undo of a flat VMDK lies beside its disk and needs the
 * descriptor's old name: whoever rolls back renames that first.
 *
 * @throws ImageError `in-use` where the new name, or one that belongs to it, is taken, or where a descriptor says that the
 * file is its disk; `interrupted` while a
 * conversion is open; `io`. The image then has its old name.
 * @throws UsageError for a name in another folder
 */
export declare function renameImage(path: string, newPath: string): Promise<void>;
/**
 * Changes nothing.
 *
 * @throws ImageError `in-use` where `newPath`, its journal, undo or lock exists: an orphaned undo must not become this
 * image's; `unsupported` where those names would be too long
 */
export declare function refuseTakenName(path: string, newPath: string): Promise<void>;
