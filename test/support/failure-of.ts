/** What a call that has to fail throws. */

import { expect } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";

export async function failureOf(action: Promise<unknown>): Promise<ImageError> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ImageError);
  return error as ImageError;
}
