/** Where images come from: paths and globs on this machine, downloads from others. */

export { type Acquired, type AcquireRequest, type AcquireSettings, acquire } from "./acquire.ts";
export { type CacheChoice, type CacheUse, cacheUse } from "./cache-policy.ts";
export type { ChecksumList } from "./checksum-list.ts";
export { type ChecksumSettings, isUrl, readChecksums } from "./checksum-source.ts";
export { type Digest, type DigestAlgorithm, digestOfHex, expectedDigest } from "./digest.ts";
export { DownloadCache, discardPending, type PendingSave, savePending } from "./download-cache.ts";
export { downloadName } from "./file-name.ts";
export type { GitHub } from "./github-asset.ts";
export type { Headers } from "./http-request.ts";
export * from "./locate.ts";
export { outputFolderMistake } from "./output-folder.ts";
export { refuseTaken } from "./part.ts";
export { parseHeaders } from "./request-headers.ts";
export { DEFAULT_LIMITS, type DownloadProgress, type Limits, type Retries } from "./settings.ts";
export { shownUrl, sourceUrl } from "./source-url.ts";
export { unpackingOf } from "./unpacking.ts";
