/** The guest of an image as a conversion sees it: this layer, or with consent the whole chain. */
import type { Image } from "../image/driver.ts";
import { type GuestView } from "../image/guest-view.ts";
import type { Volume } from "../storage/storage.ts";
import type { ChecksumAlgorithm, Stage } from "./report.ts";
import { type Settings } from "./settings.ts";
/** The image's backing files, opened once and looked through by source and target alike. */
export declare class Guest {
    #private;
    readonly covers: "guest" | "layer";
    private constructor();
    static open(image: Image, volume: Volume, settings: Settings): Promise<Guest>;
    /** What `image`, on top of the chain, shows. */
    view(image: Image): Promise<GuestView>;
    /** Throws `interrupted` when asked to stop. */
    digest(image: Image, algorithm: ChecksumAlgorithm, stage: Stage): Promise<string>;
    close(): Promise<void>;
}
/** Throws `verification-failed` where the guest is not what the caller expects; nothing has been written. */
export declare function expectGuest(path: string, expected: string, found: string): void;
