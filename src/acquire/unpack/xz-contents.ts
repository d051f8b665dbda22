/** XZ streams, one after another, through xz-decompress (xz-embedded as WebAssembly; windows up to 64 MiB). */

import { ReadableStream } from "node:stream/web";
import { ImageError } from "../../index.ts";
import type { Bytes } from "./byte-reader.ts";

export async function* xzContents(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const { XzReadableStream } = (await import("xz-decompress")).default;
  const chunks = bytes[Symbol.asyncIterator]();
  // The decoder hides what went wrong with its input.
  let inputError: unknown;
  const input = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          inputError = error;
          controller.error(error);
        }
      },
    },
    { highWaterMark: 0 },
  );
  const output = new XzReadableStream(input as globalThis.ReadableStream<Uint8Array>).getReader();
  try {
    for (;;) {
      const { done, value } = await output.read();
      if (done) return;
      if (value.length > 0) yield value;
    }
  } catch (error) {
    throw inputError ?? readable(error);
  } finally {
    // The decoder is one for all; whoever waits for it would wait for ever.
    await output.cancel().catch(() => {});
  }
}

/** What xz-embedded's numbers mean (its xz.h). */
function readable(error: unknown): ImageError {
  const message = error instanceof Error ? error.message : String(error);
  const [, code] = /error code (\d+)$/.exec(message) ?? [];
  if (code === "2" || code === "6") {
    return new ImageError("unsupported", "it was made with a filter or check that is not supported; use plain xz");
  }
  if (code === "4") return new ImageError("unsupported", "its window is larger than 64 MiB; use xz -9 or less");
  if (code === "8") return new ImageError("corrupt", "it is cut off");
  return new ImageError("corrupt", `its data is damaged (${message})`, { cause: error });
}
