/** stdout: every result is written whole, or what kept it from being written is known in the end. */

import { fstatSync, writeSync } from "node:fs";

export interface Output {
  write(text: string): void;
  /** Waits until all is written; the first error where something is lost. */
  loss(): Promise<Error | undefined>;
}

/** Who reads has seen enough: `| head`. */
export function isClosedPipe(error: Error): boolean {
  return "code" in error && error.code === "EPIPE";
}

export function outputOf(stream: NodeJS.WriteStream & { readonly fd: number }): Output {
  return isPiped(stream) ? streamOutput(stream) : fileOutput(stream.fd);
}

/** Pipes, sockets and terminals, which may have to be waited for. */
function isPiped(stream: NodeJS.WriteStream & { readonly fd: number }): boolean {
  if (stream.isTTY) return true;
  try {
    const facts = fstatSync(stream.fd);
    return facts.isFIFO() || facts.isSocket();
  } catch {
    return true;
  }
}

function streamOutput(stream: NodeJS.WritableStream): Output {
  let lost: Error | undefined;
  const waiting = new Set<Promise<void>>();
  const note = (error: Error | null | undefined) => {
    lost ??= error ?? undefined;
  };
  stream.on("error", note);
  return {
    write(text) {
      if (lost !== undefined) return;
      const written = new Promise<void>((resolve) => {
        stream.write(text, (error) => {
          note(error);
          resolve();
        });
      });
      waiting.add(written);
      void written.then(() => waiting.delete(written));
    },
    async loss() {
      await Promise.all(waiting);
      return lost;
    },
  };
}

/** Node's own stream takes a write that a full disk cut short for a whole one. */
function fileOutput(fd: number): Output {
  let lost: Error | undefined;
  return {
    write(text) {
      if (lost !== undefined) return;
      const bytes = Buffer.from(text);
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      } catch (error) {
        lost = error instanceof Error ? error : new Error(String(error));
      }
    },
    loss: async () => lost,
  };
}
