/**
 * The packages that lie in dist: those of `bundled` in package.json, and whatever they need.
 *
 * They are devDependencies, since an install of ours brings nothing else; so npm can't tell them from our tools.
 */

export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** By place in node_modules, as package-lock.json has them. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** Places of all that `names` lead to. Throws for a package that is not locked. */
export function placesOf(packages: LockedPackages, names: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    const place = placeOf(packages, name, from);
    if (found.has(place)) return;
    found.add(place);
    for (const dependency of Object.keys(packages[place]?.dependencies ?? {})) visit(dependency, place);
  };
  for (const name of names) visit(name, "");
  return [...found].sort();
}

/** As Node looks: in the package's own node_modules first, then in each one above. */
function placeOf(packages: LockedPackages, name: string, from: string): string {
  for (let folder = from; ; ) {
    const place = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (folder === "") throw new Error(`package-lock.json has no ${name}, which ${from || "dist"} needs`);
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
  }
}

/** `@actions/core` of `node_modules/a/node_modules/@actions/core` or of a file in it. */
export function nameOf(place: string): string {
  const [, name = ""] = /^((?:@[^/]+\/)?[^/]+)/.exec(place.slice(place.lastIndexOf("node_modules/") + 13)) ?? [];
  return name;
}
