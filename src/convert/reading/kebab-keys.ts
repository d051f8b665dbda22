/** The keys of everything that is printed as JSON: kebab case, where the library has camel case. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `bytesWritten` becomes `bytes-written`, `roll back` `roll-back`, at every depth; what is undefined is left out. */
export function kebabKeys(value: unknown): Json {
  if (Array.isArray(value)) return value.map(kebabKeys);
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [kebab(key), kebabKeys(each)]),
  );
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll(" ", "-");
}
