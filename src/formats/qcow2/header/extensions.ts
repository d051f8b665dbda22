/** Header extensions of qcow2: type, length, data padded to 8 bytes (docs/interop/qcow2.txt, "Header extensions"). */

import { counted } from "../../../bytes/count-text.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { placeAt, type Sentence, say } from "../../../bytes/sentence.ts";
import { storedText, struct, u32, u64 } from "../../../bytes/struct.ts";

export const ExtensionType = {
  end: 0,
  backingFormat: 0xe2792aca,
  featureNames: 0x6803f857,
  bitmaps: 0x23852875,
  encryption: 0x0537be77,
  dataFileName: 0x44415441,
} as const;

export const BitmapsExtension = struct(
  "bitmaps extension",
  "be",
  { at: 0, size: 24 },
  {
    bitmapCount: u32(0),
    reserved: u32(4),
    directorySize: u64(8),
    directoryOffset: u64(16),
  },
);

export const EncryptionExtension = struct(
  "encryption header pointer",
  "be",
  { at: 0, size: 16 },
  {
    headerOffset: u64(0),
    headerLength: u64(8),
  },
);

/** QEMU keeps the format's name in 16 bytes, the last one zero. */
const MAX_FORMAT_NAME = 15;
const MAX_BITMAPS = 65_535;
const FEATURE_NAME_SIZE = 48;

export type FeatureKind = "incompatible" | "compatible" | "autoclear";

export interface FeatureName {
  readonly kind: FeatureKind;
  readonly bit: number;
  readonly name: string;
}

/** One extension as stored; `hostOffset` is that of its data. */
export interface RawExtension {
  readonly type: number;
  readonly hostOffset: number;
  readonly data: Uint8Array;
}

export interface HeaderExtensions {
  readonly backingFormat: string | undefined;
  readonly featureNames: readonly FeatureName[];
  readonly bitmaps:
    | { readonly bitmapCount: number; readonly directorySize: number; readonly directoryHostOffset: number }
    | undefined;
  readonly encryptionHeader: { readonly hostOffset: number; readonly length: number } | undefined;
  readonly dataFileName: string | undefined;
  /** Types that the specification does not know (yet). */
  readonly unknown: readonly RawExtension[];
  /** Every extension in its order, known or not. */
  readonly all: readonly RawExtension[];
  /** One past the last byte of the extensions, their end mark included. */
  readonly end: number;
}

export const NO_EXTENSIONS: HeaderExtensions = collect([], 0);

/**
 * Parses what lies in [start, end) of the header cluster.
 * @throws ImageError `corrupt` where an extension is longer than its room or than its type allows.
 */
export function parseHeaderExtensions(
  cluster: Uint8Array,
  start: number,
  end: number,
  path?: string,
): HeaderExtensions {
  const view = new DataView(cluster.buffer, cluster.byteOffset, cluster.byteLength);
  const limit = Math.min(end, cluster.length);
  const all: RawExtension[] = [];
  let next = start;
  // A header may end without the end mark where the backing name or the cluster's end follows at once.
  while (next + 8 <= limit) {
    const type = view.getUint32(next);
    const length = view.getUint32(next + 4);
    const hostOffset = next + 8;
    if (length > limit - hostOffset) {
      throw corrupt(
        say`Cannot read header extension ${hex(type)} at host offset ${placeAt(next)}: its ${length} bytes do not fit before ${hex(limit)}`,
        next,
        path,
      );
    }
    if (type === ExtensionType.end) return collect(all, hostOffset, path);
    all.push({ type, hostOffset, data: cluster.slice(hostOffset, hostOffset + length) });
    next = hostOffset + Math.ceil(length / 8) * 8;
  }
  return collect(all, Math.min(next, limit), path);
}

/** Encodes extensions and the end mark; each padded with zeros to 8 bytes. */
export function encodeHeaderExtensions(
  extensions: readonly { readonly type: number; readonly data: Uint8Array }[],
): Uint8Array {
  const size = extensions.reduce((sum, { data }) => sum + 8 + Math.ceil(data.length / 8) * 8, 8);
  const encoded = new Uint8Array(size);
  const view = new DataView(encoded.buffer);
  let next = 0;
  for (const { type, data } of extensions) {
    view.setUint32(next, type);
    view.setUint32(next + 4, data.length);
    encoded.set(data, next + 8);
    next += 8 + Math.ceil(data.length / 8) * 8;
  }
  return encoded;
}

/** The name that the image itself gives to a feature bit, if it gives one. */
export function featureName(names: readonly FeatureName[], kind: FeatureKind, bit: number): string | undefined {
  return names.find((feature) => feature.kind === kind && feature.bit === bit)?.name;
}

/** Data of a feature name table. Names are cut at 46 bytes. */
export function encodeFeatureNames(names: readonly FeatureName[]): Uint8Array {
  const table = new Uint8Array(names.length * FEATURE_NAME_SIZE);
  for (const [row, { kind, bit, name }] of names.entries()) {
    table[row * FEATURE_NAME_SIZE] = FEATURE_KINDS.indexOf(kind);
    table[row * FEATURE_NAME_SIZE + 1] = bit;
    table.set(new TextEncoder().encode(name).subarray(0, FEATURE_NAME_SIZE - 2), row * FEATURE_NAME_SIZE + 2);
  }
  return table;
}

const FEATURE_KINDS: readonly FeatureKind[] = ["incompatible", "compatible", "autoclear"];

function collect(all: readonly RawExtension[], end: number, path?: string): HeaderExtensions {
  // As QEMU does, the last one of a type counts.
  const last = (type: number) => all.findLast((extension) => extension.type === type);
  const known: readonly number[] = Object.values(ExtensionType);
  const format = last(ExtensionType.backingFormat);
  if (format !== undefined && format.data.length > MAX_FORMAT_NAME) {
    throw corrupt(
      say`Cannot read the backing format at host offset ${placeAt(format.hostOffset)}: ${format.data.length} bytes, at most ${MAX_FORMAT_NAME} are allowed`,
      format.hostOffset,
      path,
    );
  }
  const names = last(ExtensionType.featureNames);
  const dataFile = last(ExtensionType.dataFileName);
  return {
    backingFormat: format && storedText(format.data),
    featureNames: names === undefined ? [] : parseFeatureNames(names.data),
    bitmaps: parseBitmaps(last(ExtensionType.bitmaps), path),
    encryptionHeader: parseEncryption(last(ExtensionType.encryption), path),
    dataFileName: dataFile && storedText(dataFile.data),
    unknown: all.filter(({ type }) => !known.includes(type)),
    all,
    end,
  };
}

function parseFeatureNames(table: Uint8Array): FeatureName[] {
  const names: FeatureName[] = [];
  for (let at = 0; at + FEATURE_NAME_SIZE <= table.length; at += FEATURE_NAME_SIZE) {
    const kind = FEATURE_KINDS[table[at] as number];
    const name = storedText(table.subarray(at + 2, at + FEATURE_NAME_SIZE));
    if (kind !== undefined) names.push({ kind, bit: table[at + 1] as number, name });
  }
  return names;
}

function parseBitmaps(extension: RawExtension | undefined, path: string | undefined): HeaderExtensions["bitmaps"] {
  if (extension === undefined) return undefined;
  if (extension.data.length !== BitmapsExtension.size) throw wrongLength(extension, BitmapsExtension, path);
  const { bitmapCount, reserved, directorySize, directoryOffset } = BitmapsExtension.parse(extension.data);
  if (reserved !== 0) {
    throw corrupt(
      say`Cannot read the bitmaps extension at host offset ${placeAt(extension.hostOffset)}: its reserved field is not zero`,
      extension.hostOffset,
      path,
    );
  }
  if (bitmapCount > MAX_BITMAPS) {
    throw corrupt(
      say`Cannot read the bitmaps extension at host offset ${placeAt(extension.hostOffset)}: it counts ${counted(bitmapCount, "bitmap")}, at most ${MAX_BITMAPS} are allowed`,
      extension.hostOffset,
      path,
    );
  }
  return { bitmapCount, directorySize, directoryHostOffset: directoryOffset };
}

function parseEncryption(
  extension: RawExtension | undefined,
  path: string | undefined,
): HeaderExtensions["encryptionHeader"] {
  if (extension === undefined) return undefined;
  if (extension.data.length !== EncryptionExtension.size) throw wrongLength(extension, EncryptionExtension, path);
  const { headerOffset, headerLength } = EncryptionExtension.parse(extension.data);
  return { hostOffset: headerOffset, length: headerLength };
}

function wrongLength(
  { data, hostOffset }: RawExtension,
  expected: { readonly name: string; readonly size: number },
  path: string | undefined,
): ImageError {
  return corrupt(
    say`Cannot read the ${expected.name} at host offset ${placeAt(hostOffset)}: expected ${expected.size} bytes, got ${data.length}`,
    hostOffset,
    path,
  );
}

function corrupt(message: Sentence, hostOffset: number, path: string | undefined): ImageError {
  return new ImageError("corrupt", message, { format: "qcow2", path, structure: "header extension", hostOffset });
}
