/**
 * Types of JSON fields, each of which writes a value and reads it back. What is read may be anyone's: what has another
 * type counts as absent, and is read as what its field has for that.
 */

import { type Json, kebabKeys } from "../../index.ts";

export interface Field<T> {
  /** Undefined where nothing is written. */
  readonly write: (value: T) => Json | undefined;
  /** Undefined where it is no such value. */
  readonly read: (json: unknown) => T | undefined;
  /** What is read where there is none. */
  readonly absent: T;
}

export type JsonObject = { readonly [name: string]: Json };
type Fields = Readonly<Record<string, unknown>>;

/** Any JSON value that `is` takes. */
function plain<T extends Json>(is: (json: unknown) => json is T, absent: T): Field<T> {
  return { write: (value) => value, read: (json) => (is(json) ? json : undefined), absent };
}

export const text = plain((json) => typeof json === "string", "");
export const flag = plain((json) => typeof json === "boolean", false);
export const number = plain((json) => typeof json === "number", 0);
/** Sizes and counts are never negative. */
export const count = plain((json): json is number => isCount(json), 0);

/** One of a few words. */
export function word<W extends string>(words: readonly W[], absent: W): Field<W> {
  return plain((json): json is W => words.some((each) => each === json), absent);
}

/** Of a list, what is none of it is left out. */
export function list<T>(item: Field<T>): Field<readonly T[]> {
  return {
    write: (values) => values.map(item.write).filter((each) => each !== undefined),
    read: (json) => (Array.isArray(json) ? json.map(item.read).filter((each) => each !== undefined) : undefined),
    absent: [],
  };
}

/** Names that are values themselves, each with a count. */
export const counts: Field<Readonly<Record<string, number>>> = {
  write: kebabKeys,
  read: (json) =>
    isFields(json)
      ? Object.fromEntries(Object.entries(json).map(([name, each]) => [name, count.read(each) ?? 0]))
      : undefined,
  absent: {},
};

export function orNull<T>({ write, read }: Field<T>): Field<T | null> {
  return { write: (value) => (value === null ? null : write(value)), read, absent: null };
}

export function optional<T>({ write, read }: Field<T>): Field<T | undefined> {
  return { write: (value) => (value === undefined ? undefined : write(value)), read, absent: undefined };
}

/** Written for people and programs, never read back. */
export function writtenOnly<T>({ write }: Field<T>, absent: T): Field<T> {
  return { write, read: () => undefined, absent };
}

/** Not of the report. */
export const unwritten = { write: (_value: unknown) => undefined, read: () => undefined, absent: undefined };

export interface Table<T> extends Field<T> {
  /** In the order of the value's own fields, which may be some of the table's. */
  readonly write: (value: Partial<T>) => JsonObject;
  /** Of the JSON, in kebab case. */
  readonly names: readonly string[];
}

/** An object, whose fields have names in kebab case in the JSON. */
export function table<T>(fields: { readonly [K in keyof T]-?: Field<T[K]> }): Table<T> {
  const byKey = new Map<string, Field<unknown>>(Object.entries(fields));
  const keys = Object.entries(kebabKeys(Object.fromEntries([...byKey.keys()].map((key) => [key, key]))) as Fields);
  const names = new Map(keys.map(([name, key]) => [String(key), name]));
  const read = (json: Fields) => {
    const values = [...byKey].map(([key, field]) => {
      const name = names.get(key) ?? key;
      return [key, field.read(Object.hasOwn(json, name) ? json[name] : undefined) ?? field.absent] as const;
    });
    // What is not there is left out, as the type's optional fields are.
    return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as T;
  };
  return {
    names: [...names.values()],
    write: (value) => {
      const written: Record<string, Json> = {};
      for (const key of Object.keys(value) as (string & keyof T)[]) {
        const json = byKey.get(key)?.write(value[key]);
        if (json !== undefined) written[names.get(key) ?? key] = json;
      }
      return written;
    },
    read: (json) => (isFields(json) ? read(json) : undefined),
    absent: read({}),
  };
}

export function isFields(json: unknown): json is Fields {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isCount(json: unknown): json is number {
  return typeof json === "number" && Number.isFinite(json) && json >= 0;
}
