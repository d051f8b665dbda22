/**
 * Binary headers declared once, as tables of fields with visible offsets; parsing and encoding both come from the table.
 *
 * A table that has gaps, overlaps or the wrong total does not load.
 */

import { ImageError } from "./image-error.ts";

type Endian = "be" | "le";

/** One field: where it lies in the structure and how its bytes become a value and back. */
export interface Field<T> {
  readonly at: number;
  readonly size: number;
  read(view: DataView, at: number, endian: Endian, name: string): T;
  write(view: DataView, at: number, endian: Endian, value: T): void;
}

/** 64 feature bits as two halves; bit numbers are the specification's. */
export interface Flags64 {
  readonly high: number;
  readonly low: number;
}

export const NO_FLAGS: Flags64 = { high: 0, low: 0 };

export function hasFlag(flags: Flags64, bit: number): boolean {
  const half = bit < 32 ? flags.low : flags.high;
  return ((half >>> (bit % 32)) & 1) === 1;
}

export function flagsOf(...bits: readonly number[]): Flags64 {
  let [high, low] = [0, 0];
  for (const bit of bits) {
    if (bit < 32) low = (low | (1 << bit)) >>> 0;
    else high = (high | (1 << (bit - 32))) >>> 0;
  }
  return { high, low };
}

/** The numbers of the bits that are set, ascending. */
export function setBits(flags: Flags64): number[] {
  if (flags.low === 0 && flags.high === 0) return [];
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => hasFlag(flags, bit));
}

export function u8(at: number): Field<number> {
  return {
    at,
    size: 1,
    read: (view, from) => view.getUint8(from),
    write: (view, to, _endian, value) => view.setUint8(to, value),
  };
}

export function u16(at: number): Field<number> {
  return {
    at,
    size: 2,
    read: (view, from, endian) => view.getUint16(from, endian === "le"),
    write: (view, to, endian, value) => view.setUint16(to, value, endian === "le"),
  };
}

export function u32(at: number): Field<number> {
  return {
    at,
    size: 4,
    read: (view, from, endian) => view.getUint32(from, endian === "le"),
    write: (view, to, endian, value) => view.setUint32(to, value, endian === "le"),
  };
}

/** An unsigned 64-bit number that must be exact in a double: more than 2^53 - 1 is `corrupt`. */
export function u64(at: number): Field<number> {
  return {
    at,
    size: 8,
    read(view, from, endian, name) {
      const { high, low } = readHalves(view, from, endian);
      const value = high * 2 ** 32 + low;
      if (!Number.isSafeInteger(value)) {
        throw new ImageError(
          "corrupt",
          `Cannot use ${name}: 0x${high.toString(16)}${low.toString(16).padStart(8, "0")} is beyond 2^53`,
          {
            structure: name,
          },
        );
      }
      return value;
    },
    write: (view, to, endian, value) =>
      writeHalves(view, to, endian, { high: Math.floor(value / 2 ** 32), low: value % 2 ** 32 }),
  };
}

export function flags64(at: number): Field<Flags64> {
  return { at, size: 8, read: (view, from, endian) => readHalves(view, from, endian), write: writeHalves };
}

/** `size` bytes as they are, copied. */
export function bytes(at: number, size: number): Field<Uint8Array> {
  return {
    at,
    size,
    read: (view, from) => new Uint8Array(view.buffer, view.byteOffset + from, size).slice(),
    write: (view, to, _endian, value) => new Uint8Array(view.buffer, view.byteOffset + to, size).set(value),
  };
}

type ValueOf<F> = F extends Field<infer T> ? T : never;
export type StructValues<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

export interface Struct<F> {
  readonly name: string;
  /** Where the structure begins, in bytes from the start of what it is part of. */
  readonly at: number;
  readonly size: number;
  readonly fields: F;
  /** Reads the structure that begins `at` bytes into `source`; throws `out-of-bounds` when `source` is too short. */
  parse(source: Uint8Array): StructValues<F>;
  /** Writes the structure `at` bytes into `target`, in place. */
  encode(values: StructValues<F>, target: Uint8Array): void;
}

/**
 * Declares a structure. `place.at` is its own position and field offsets count from the same origin, so that the
 * table reads like the specification's.
 */
export function struct<F extends Readonly<Record<string, Field<unknown>>>>(
  name: string,
  endian: Endian,
  place: { readonly at: number; readonly size: number },
  fields: F,
): Struct<F> {
  const entries = Object.entries(fields);
  refuseHoles(name, place, entries);
  return {
    name,
    at: place.at,
    size: place.size,
    fields,
    parse(source) {
      if (source.length < place.at + place.size) {
        throw new ImageError(
          "out-of-bounds",
          `Cannot read the ${name}: it needs ${place.at + place.size} bytes, the file has ${source.length}`,
          { structure: name, hostOffset: place.at },
        );
      }
      const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
      const values: Record<string, unknown> = {};
      for (const [key, field] of entries) values[key] = field.read(view, field.at, endian, `${key} of the ${name}`);
      return values as StructValues<F>;
    },
    encode(values, target) {
      const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
      for (const [key, field] of entries) {
        field.write(view, field.at, endian, (values as Record<string, unknown>)[key]);
      }
    },
  };
}

function refuseHoles(
  name: string,
  place: { readonly at: number; readonly size: number },
  entries: readonly [string, Field<unknown>][],
): void {
  let next = place.at;
  for (const [key, field] of entries) {
    if (field.at !== next) {
      const what = field.at > next ? "a gap" : "an overlap";
      throw new TypeError(`${name}: ${what} before ${key}: expected offset ${next}, got ${field.at}`);
    }
    next += field.size;
  }
  if (next !== place.at + place.size) {
    throw new TypeError(`${name}: expected ${place.size} bytes in all, got ${next - place.at}`);
  }
}

function readHalves(view: DataView, from: number, endian: Endian): Flags64 {
  const first = view.getUint32(from, endian === "le");
  const second = view.getUint32(from + 4, endian === "le");
  return endian === "be" ? { high: first, low: second } : { high: second, low: first };
}

function writeHalves(view: DataView, to: number, endian: Endian, value: Flags64): void {
  const [first, second] = endian === "be" ? [value.high, value.low] : [value.low, value.high];
  view.setUint32(to, first, endian === "le");
  view.setUint32(to + 4, second, endian === "le");
}

/** UTF-8 up to the first zero byte, or all of the field where there is none. */
export function storedText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
