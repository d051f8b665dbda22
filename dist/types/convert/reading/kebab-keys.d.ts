/** The keys of everything that is printed as JSON: kebab case, where the library has camel case. */
export type Json = null | boolean | number | string | readonly Json[] | {
    readonly [key: string]: Json;
};
/** `bytesWritten` becomes `bytes-written`, `roll back` `roll-back`, at every depth; what is undefined is left out. */
export declare function kebabKeys(value: unknown): Json;
