/** Every image with the name that it will have: what can't be had is refused before any image is touched. */

import { resolve } from "node:path";
import type { LocatedImage } from "../../acquire/locate.ts";
import { ImageError, nameFor, refuseTakenName } from "../../index.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { ImageToDo } from "./work.ts";

/** Undefined where no image is renamed. A plan refuses what the run would. */
export function newFormatOf({ rename, mode, targetFormat }: Inputs): string | undefined {
  return rename && (mode === "convert" || mode === "plan") ? targetFormat : undefined;
}

/** @param targetFormat undefined where no image is renamed */
export async function namedImages(
  images: readonly LocatedImage[],
  targetFormat: string | undefined,
): Promise<readonly ImageToDo[]> {
  const named = images.map((image) => ({
    ...image,
    newPath: targetFormat === undefined ? image.path : nameFor(image.path, targetFormat),
  }));
  const wanted = new Map<string, string[]>();
  for (const { path, newPath } of named) wanted.set(resolve(newPath), [...(wanted.get(resolve(newPath)) ?? []), path]);
  return Promise.all(
    named.map(async (image) => {
      const { path, newPath } = image;
      if (path === newPath) return { ...image, refusal: undefined };
      const other = wanted.get(resolve(newPath))?.find((each) => each !== path);
      return { ...image, refusal: other === undefined ? await takenRefusal(path, newPath) : clash(image, other) };
    }),
  );
}

function clash({ path, newPath }: { readonly path: string; readonly newPath: string }, other: string): ImageError {
  const why = `${other} would have the same name; rename one of them first, or set rename to false`;
  const message = `Cannot rename ${path} to ${newPath}: ${why}`;
  return new ImageError("in-use", message, { path, operation: "rename" });
}

async function takenRefusal(path: string, newPath: string): Promise<Error | undefined> {
  try {
    await refuseTakenName(path, newPath);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
