/**
 * A disk of which one write can be made to fail, once, while a file system is mounted from it: QEMU's storage daemon shows
 * it as a file through FUSE, and puts its own fault injection under that at any moment. For `scripts/failed-writes.ts`.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/** What has to be undone however this process ends, the newest first. */
const guards: (() => void)[] = [];

process.once("exit", () => {
  for (const undo of guards.splice(0).reverse()) attempt(undo);
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

/** Each is tried, whatever became of the one before it. */
function attempt(undo: () => void): void {
  try {
    undo();
  } catch (error) {
    console.error(`Cannot tidy up: ${(error as Error).message}`);
  }
}

/** Returns what undoes it now; where that never came to be, `atExit` does at the end of the process. */
export function guarded(undo: () => void, atExit = undo): () => void {
  guards.push(atExit);
  return () => {
    undo();
    guards.splice(guards.lastIndexOf(atExit), 1);
  };
}

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

export class FailingDevice {
  /** To be mounted in place of the disk. */
  readonly path: string;
  readonly #daemon: ChildProcess;
  readonly #socket: Socket;
  readonly #lines: Interface;
  readonly #release: () => void;
  #isArmed = false;

  private constructor(path: string, daemon: ChildProcess, socket: Socket, release: () => void) {
    this.path = path;
    this.#daemon = daemon;
    this.#socket = socket;
    this.#lines = createInterface(socket);
    this.#release = release;
  }

  static async start(disk: string, scratch: string): Promise<FailingDevice> {
    const [path, control] = [join(scratch, "device"), join(scratch, "control")];
    await writeFile(path, "");
    const fuse = `type=fuse,id=device,node-name=device,mountpoint=${path},writable=on`;
    // In this order: once the socket is there, so is the device.
    const daemon = spawn(
      "qemu-storage-daemon",
      [
        ...["--blockdev", JSON.stringify({ driver: "file", "node-name": "disk", filename: disk })],
        ...["--blockdev", JSON.stringify({ driver: "raw", "node-name": "device", file: "disk" })],
        ...["--export", fuse],
        ...["--chardev", `socket,id=control,path=${control},server=on,wait=off`, "--monitor", "control"],
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    const release = guarded(() => daemon.kill());
    const device = new FailingDevice(path, daemon, await connected(control, daemon), release);
    await device.#ask("qmp_capabilities");
    return device;
  }

  /** The n-th write of blocks to the disk from now, whichever that is, fails and leaves what was there. */
  async failWrite(nth: number): Promise<void> {
    const event = "pwritev";
    const passed = Array.from({ length: nth - 1 }, (_, at) => ({ event, state: at + 1, new_state: at + 2 }));
    await this.#ask("blockdev-add", {
      driver: "blkdebug",
      "node-name": "fault",
      image: "disk",
      // It begins in state 1, and takes no empty list.
      ...(passed.length > 0 && { "set-state": passed }),
      "inject-error": [{ event, state: nth, errno: 5, once: true }],
    });
    await this.#put("fault");
    this.#isArmed = true;
  }

  /** From here on no write fails. */
  async mend(): Promise<void> {
    if (!this.#isArmed) return;
    this.#isArmed = false;
    await this.#put("disk");
    await this.#ask("blockdev-del", { "node-name": "fault" });
  }

  /** After the file system is unmounted. */
  async stop(): Promise<void> {
    const end = new Promise((resolve) => this.#daemon.once("exit", resolve));
    this.#socket.destroy();
    this.#release();
    await end;
    await rm(this.path);
  }

  async #put(node: string): Promise<void> {
    await this.#ask("blockdev-reopen", { options: [{ driver: "raw", "node-name": "device", file: node }] });
  }

  /** One command in the daemon's own protocol; its events are passed over. */
  async #ask(execute: string, args?: object): Promise<void> {
    const answer = new Promise<Answer>((resolve) => {
      const onLine = (line: string) => {
        const words = JSON.parse(line) as Answer;
        if (words.return === undefined && words.error === undefined) return;
        this.#lines.off("line", onLine);
        resolve(words);
      };
      this.#lines.on("line", onLine);
    });
    this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    const { error } = await answer;
    if (error !== undefined) throw new Error(`Cannot ${execute}: ${error.desc}`);
  }
}

async function connected(control: string, daemon: ChildProcess): Promise<Socket> {
  for (let turn = 0; turn < 200; turn++) {
    const socket = connect(control);
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    if (isThere) return socket;
    if (daemon.exitCode !== null) break;
    await setTimeout(25);
  }
  daemon.kill();
  throw new Error("Cannot start qemu-storage-daemon: no answer from it");
}
