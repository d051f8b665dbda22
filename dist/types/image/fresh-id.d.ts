/** The UUIDs that a new image gets: by chance, or the same each time where the guest is to decide. */
/** Whence a target takes ids and times that nobody names; where there is none, from chance and the clock. */
export interface Identity {
    /** The guest's digest, hex. */
    readonly seed: string;
}
/** Where its version is: the first three parts are numbers, which formats have in either order. */
type VersionAt = 6 | 7;
/** Version 4, or, made by the seed and what tells one from another, version 8. */
export declare function freshId(format: string, what: string | number, identity: Identity | undefined, versionAt: VersionAt): Uint8Array;
export {};
