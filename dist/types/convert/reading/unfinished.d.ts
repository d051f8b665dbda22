/** How far an earlier conversion or repair of an image came, told from what lies beside it; changes nothing and takes no lock. */
/**
 * `none`: nothing to resume and nothing to roll back. `open`: a conversion or repair is open and may go
 * either way. `verified`: what it makes was proven, or the undo was given up: finishing is what is left to do. `undo`: it is
 * finished, and the way back was kept as `<image>.inplace-undo`.
 */
export type Unfinished = "none" | "open" | "verified" | "undo";
/** @throws ImageError `corrupt` for a damaged journal, `io` */
export declare function unfinished(path: string): Promise<Unfinished>;
