/** An image opened to be read, with its backing files where the user consented to follow them. */
import type { Image } from "../image/driver.ts";
import { type GuestView } from "../image/guest-view.ts";
import type { Volume } from "../storage/storage.ts";
import { type BackingChain } from "./backing-chain.ts";
/** Opens an image's file for reading. Throws ImageError as the format does; closes the file then. */
export declare function openImageForReading(volume: Volume, path: string, format: string | undefined): Promise<Image>;
export declare class OpenedGuest {
    /** The image first, then what lies below it as far as it may be read. */
    readonly chain: BackingChain;
    private constructor();
    static open(volume: Volume, path: string, options: {
        readonly format?: string | undefined;
        readonly backingChain?: boolean | undefined;
    }): Promise<OpenedGuest>;
    /** True where a backing file holds a part of the guest and there is no consent to read it. */
    get isLayer(): boolean;
    /** The guest's bytes. Throws `unsupported` where they can't be known from the files that may be read. */
    view(): Promise<GuestView>;
    /** As `view`, and throws `unsupported` for a layer of something larger. */
    wholeView(): Promise<GuestView>;
    close(): Promise<void>;
}
