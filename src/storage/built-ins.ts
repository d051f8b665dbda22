/** Built-in modules that take milliseconds and megabytes to load, and that reading commands mostly never need. */

import { createRequire } from "node:module";

/** Built-in modules lie nowhere, so that any path will do. A bundle that somebody makes CommonJS of has no URL. */
const load = createRequire((import.meta.url as string | undefined) ?? process.execPath);

let loadedCrypto: typeof import("node:crypto") | undefined;
let loadedZlib: typeof import("node:zlib") | undefined;

/** `node:crypto`, loaded at the first question. */
export function crypto(): typeof import("node:crypto") {
  loadedCrypto ??= load("node:crypto") as typeof import("node:crypto");
  return loadedCrypto;
}

/** `node:zlib`, loaded at the first question. */
export function zlib(): typeof import("node:zlib") {
  loadedZlib ??= load("node:zlib") as typeof import("node:zlib");
  return loadedZlib;
}

/** `node:worker_threads`, loaded at the first question. */
export function workerThreads(): typeof import("node:worker_threads") {
  return load("node:worker_threads");
}

/** `node:child_process`, loaded at the first question. */
export function childProcess(): typeof import("node:child_process") {
  return load("node:child_process");
}

/** `node:readline`, loaded at the first question. */
export function readline(): typeof import("node:readline") {
  return load("node:readline");
}
