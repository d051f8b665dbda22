/**
 * A caller's options, read once: a copy that nobody else holds, so that what was looked at is what is used. A getter may
 * answer otherwise the next time, the caller may use the same object for the next call, and what all objects inherit is
 * nobody's consent.
 */

import { UsageError } from "../../bytes/image-error.ts";

/** What was given, by its own names alone; throws UsageError where it is no plain object or can't be read. */
export function givenOptions(command: string, options: unknown): Readonly<Record<PropertyKey, unknown>> {
  let copy: unknown;
  try {
    if (isPlain(options)) copy = copied(options, new Set(["signal"]));
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : "";
    throw new UsageError(`Cannot read the options of ${command}${why}; give a plain object`);
  }
  if (isPlain(copy)) return copy;
  throw new UsageError(`Cannot use ${shown(options)} as the options of ${command}: give a plain object`);
}

/** Plain objects and arrays all the way down, but for what is `live` and to be asked again; anything else is itself. */
function copied(value: unknown, live: ReadonlySet<PropertyKey> = new Set()): unknown {
  if (Array.isArray(value)) return Array.from(value, (entry) => copied(entry));
  if (!isPlain(value)) return value;
  const copy: Record<PropertyKey, unknown> = Object.create(null);
  for (const name of Reflect.ownKeys(value)) copy[name] = live.has(name) ? value[name] : copied(value[name]);
  return copy;
}

/** True for an object as it is written in code: what others inherit would be used but not looked at. */
export function isPlain(value: unknown): value is Readonly<Record<PropertyKey, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  // Object's own prototype, of whatever realm.
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf"));
}

const SHOWN_LENGTH = 80;

/** A value for messages, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return isList(value) ? "an array" : "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

/** A proxy that was revoked can't even be asked. */
function isList(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
