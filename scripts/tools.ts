/** The programs of other projects that the tests ask for a second opinion; installed by apt where that is allowed. */

import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathWithChosenQemu } from "./chosen-qemu.ts";

const packages = {
  "qemu-img": "qemu-utils",
  "qemu-io": "qemu-utils",
  "qemu-nbd": "qemu-utils",
  "mkfs.ext4": "e2fsprogs",
  e2fsck: "e2fsprogs",
  // File systems that copy a file for nothing.
  "mkfs.xfs": "xfsprogs",
  "mkfs.btrfs": "btrfs-progs",
  gdisk: "gdisk",
  sgdisk: "gdisk",
  sfdisk: "fdisk",
  partx: "util-linux",
  strace: "strace",
  zstd: "zstd",
  xz: "xz-utils",
  bzip2: "bzip2",
  openssl: "openssl",
  // Shells for which we write completion scripts.
  bash: "bash",
  zsh: "zsh",
  fish: "fish",
  // Reads man pages more strictly than others do.
  mandoc: "mandoc",
  // Readers of VHD, VMDK and qcow that share no code with QEMU.
  vhdiinfo: "libvhdi-utils",
  vmdkinfo: "libvmdk-utils",
  qcowinfo: "libqcow-utils",
  "7zz": "7zip",
} as const;
/** What a script asks for by name and no test does, since it is large. */
const scriptPackages = {
  "qemu-system-x86_64": "qemu-system-x86",
  "virt-v2v": "virt-v2v",
  xmllint: "libxml2-utils",
} as const;
type Tool = keyof typeof packages | keyof typeof scriptPackages;
const packageOf: Readonly<Record<Tool, string>> = { ...packages, ...scriptPackages };

/** File systems' tools lie in folders that a user's PATH may lack. */
const folders = [...new Set([...pathWithChosenQemu().split(delimiter), "/usr/sbin", "/sbin"])];
process.env.PATH = folders.join(delimiter);

export function find(program: string): string | undefined {
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Installs what is missing of the named programs, of all that the tests ask where none is named; throws an Error that says
 * plainly what, where that can't be done.
 */
export function ensureTools(...named: readonly Tool[]): void {
  const tools = named.length > 0 ? named : (Object.keys(packages) as Tool[]);
  const missing = missingOf(tools);
  if (missing.length === 0) return;
  const wanted = [...new Set(missing.map((tool) => packageOf[tool]))];
  const apt = find("apt-get");
  const privileged = asRoot();
  if (process.platform !== "linux" || apt === undefined || privileged === undefined) {
    throw new Error(`Cannot run this without ${missing.join(", ")}: install ${wanted.join(", ")}`);
  }
  const [program = apt, ...before] = [...privileged, apt];
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // apt's own words go to stderr, so that stdout holds the results alone.
  for (const words of [["update"], ["install", "-y", "--no-install-recommends", ...wanted]]) {
    execFileSync(program, [...before, ...words], { stdio: ["ignore", 2, 2], env: environment });
  }
  const still = missingOf(tools);
  if (still.length > 0)
    throw new Error(`Cannot run this: apt installed ${wanted.join(", ")}, still no ${still.join(", ")}`);
}

/** The first line that the chosen qemu-img says of itself. */
export function qemuVersion(): string {
  return execFileSync("qemu-img", ["--version"], { encoding: "utf8" }).split("\n")[0] ?? "";
}

function missingOf(tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => find(tool) === undefined);
}

/** What goes before a command to run it as root; undefined where we may not. */
export function asRoot(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  const sudo = find("sudo");
  if (sudo === undefined) return undefined;
  try {
    execFileSync(sudo, ["-n", "true"], { stdio: "ignore" });
    return [sudo, "-n"];
  } catch {
    return undefined;
  }
}
