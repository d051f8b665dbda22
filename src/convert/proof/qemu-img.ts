/** qemu-img as another program: started, listened to, ended with the signal. */

import { childProcess, readline } from "../../storage/built-ins.ts";

export const QEMU_IMG = "qemu-img";
/** Of what it says on stderr only the end matters. */
const MAX_SAID = 2000;

export interface Ended {
  readonly code: number | null;
  /** Of stdout; empty where `onLine` took them. */
  readonly lines: readonly string[];
  /** The end of stderr. */
  readonly said: string;
}

/** Throws where the program can't be started or the signal ends it. */
export function runQemuImg(
  words: readonly string[],
  signal: AbortSignal | undefined,
  onLine?: (line: string) => void,
): Promise<Ended> {
  return new Promise((settle, reject) => {
    const child = childProcess().spawn(QEMU_IMG, words, { stdio: ["ignore", "pipe", "pipe"], signal });
    const lines: string[] = [];
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-MAX_SAID);
    });
    const reading = readline().createInterface({ input: child.stdout });
    reading.on("line", (line) => {
      try {
        if (onLine) onLine(line);
        else lines.push(line);
      } catch (error) {
        child.kill();
        reject(error);
      }
    });
    child.on("error", reject);
    let left = 2;
    let code: number | null = null;
    const end = () => {
      left -= 1;
      if (left === 0) settle({ code, lines, said: said.trim() });
    };
    reading.on("close", end);
    child.on("close", (exitCode) => {
      code = exitCode;
      end();
    });
  });
}
