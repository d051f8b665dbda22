/** File systems made in a file and mounted from it, for `scripts/file-systems.ts`; needs root and loop devices. */

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { find } from "./tools.ts";

export interface FileSystem {
  readonly name: string;
  /** Programs without which it is left out. */
  readonly needs: readonly string[];
  /** Whether a copy of its disk, taken at any moment, is what a power cut would leave. */
  readonly isOnDisk: boolean;
  /** Makes it on an empty disk. */
  readonly make: (disk: string) => void;
  /** Mounts it at `folder` (with room for layers below in `beside`) and gives the folder of the image. */
  readonly mount: (disk: string, folder: string, beside: string) => void;
  /** Undoes `mount`. */
  readonly unmount: (folder: string, beside: string) => void;
  /** Where an image is laid beforehand: in the file system, or in the layer below it. */
  readonly lower?: (beside: string) => string;
}

/** Enough for XFS, which takes no less than 300 MiB. */
const DISK_BYTES = 384 * 2 ** 20;

function run(program: string, ...words: readonly string[]): void {
  execFileSync(program, words, { stdio: ["ignore", "pipe", "pipe"] });
}

function onLoop(name: string, tool: string, words: readonly string[] = [], options = ""): FileSystem {
  return {
    name,
    needs: [tool],
    isOnDisk: true,
    make: (disk) => run(tool, ...words, disk),
    mount: (disk, folder) => run("mount", "-o", ["loop", options].filter(Boolean).join(","), disk, folder),
    unmount: (folder) => run("umount", folder),
  };
}

/** A driver outside the kernel, on a loop device that goes away with it. */
function inUserSpace(name: string, tools: readonly [string, string], words: readonly string[]): FileSystem {
  const [make, mount] = tools;
  return {
    name,
    needs: [make, mount],
    isOnDisk: true,
    make: (disk) => run(make, ...words, disk),
    mount(disk, folder) {
      const device = execFileSync("losetup", ["--find", "--show", disk], { encoding: "utf8" }).trim();
      try {
        run(mount, device, folder);
      } finally {
        run("losetup", "--detach", device);
      }
    },
    unmount: (folder) => run("umount", folder),
  };
}

/** As containers have it: layers on ext4, the image in the upper one or in the read-only one below. */
function overlay(layer: "upper" | "lower"): FileSystem {
  const ext4 = onLoop("ext4", "mkfs.ext4", ["-q"]);
  const inside = (beside: string, name: string) => join(beside, name);
  return {
    ...ext4,
    name: `overlayfs on ext4, image in the ${layer} layer`,
    mount(disk, folder, beside) {
      ext4.mount(disk, beside, "");
      for (const name of ["lower", "upper", "work"]) mkdirSync(inside(beside, name), { recursive: true });
      const layers = ["lower", "upper", "work"].map((name) => `${name}dir=${inside(beside, name)}`);
      run("mount", "-t", "overlay", "overlay", "-o", layers.join(","), folder);
    },
    unmount(folder, beside) {
      run("umount", folder);
      ext4.unmount(beside, "");
    },
    ...(layer === "lower" && { lower: (beside: string) => inside(beside, "lower") }),
  };
}

const tmpfs: FileSystem = {
  name: "tmpfs",
  needs: [],
  isOnDisk: false,
  make: () => undefined,
  mount: (_disk, folder) => run("mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder),
  unmount: (folder) => run("umount", folder),
};

export const fileSystems: readonly FileSystem[] = [
  onLoop("ext4", "mkfs.ext4", ["-q"]),
  onLoop("ext4, data=writeback", "mkfs.ext4", ["-q"], "data=writeback"),
  onLoop("XFS", "mkfs.xfs", ["-q"]),
  onLoop("btrfs", "mkfs.btrfs", ["-q"]),
  onLoop("btrfs, compress-force=zstd", "mkfs.btrfs", ["-q"], "compress-force=zstd"),
  tmpfs,
  overlay("upper"),
  overlay("lower"),
  inUserSpace("NTFS by ntfs-3g", ["mkfs.ntfs", "ntfs-3g"], ["-q", "-f", "-F"]),
  inUserSpace("exFAT by exfat-fuse", ["mkfs.exfat", "mount.exfat-fuse"], []),
];

export async function makeDisk(fileSystem: FileSystem, disk: string): Promise<void> {
  await writeFile(disk, "");
  await truncate(disk, DISK_BYTES);
  fileSystem.make(disk);
}

/** The first program that it needs and this machine lacks. */
export function missingTool({ needs }: FileSystem): string | undefined {
  return needs.find((tool) => find(tool) === undefined);
}

/** Copies a disk as it is at this moment, holes kept. */
export function copyDisk(from: string, to: string): void {
  run("cp", "--sparse=always", from, to);
}
