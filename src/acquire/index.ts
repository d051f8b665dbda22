/** Where images come from: paths and globs on this machine, downloads from others. */

export { type Acquired, type AcquireRequest, type AcquireSettings, acquire } from "./acquire.ts";
export { type CacheChoice, type CacheUse, cacheUse } from "./cache/cache-policy.ts";
export { DownloadCache, discardPending, type PendingSave, savePending } from "./cache/download-cache.ts";
export type { ChecksumList } from "./checksum/checksum-list.ts";
export { type ChecksumSettings, isUrl, readChecksums } from "./checksum/checksum-source.ts";
export type { GitHub } from "./http/github-asset.ts";
export type { Headers } from "./http/request.ts";
export { parseHeaders } from "./http/request-headers.ts";
export * from "./locate.ts";
export { outputFolderMistake } from "./output-folder.ts";
export { refuseTaken } from "./part.ts";
export { type Digest, type DigestAlgorithm, digestOfHex, expectedDigest } from "./source/digest.ts";
export { downloadName } from "./source/file-name.ts";
export { DEFAULT_LIMITS, type DownloadProgress, type Limits, type Retries } from "./source/settings.ts";
export { shownUrl, sourceUrl } from "./source/source-url.ts";
export { unpackingOf } from "./unpack/unpacking.ts";
