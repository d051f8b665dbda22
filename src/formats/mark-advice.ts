/** What to do about a file that bears the mark of something that no driver of ours opens. */

import type { KnownMark } from "./known-marks.ts";

/** What to do, in words that follow a semicolon. */
export function adviceOn({ advice, tool }: KnownMark): string {
  switch (advice) {
    case "qemu-img":
      return `make a qcow2 copy of it first: qemu-img convert -f ${tool} -O qcow2`;
    case "medium":
      return "make a qcow2 copy of it first: qemu-img convert -f raw -O qcow2";
    case "unpack":
      return `unpack it first, with ${tool}`;
    case "archive":
      return `take the image out of it first, with ${tool}`;
    case "encrypted":
      return "make a decrypted qcow2 copy of it first: qemu-img convert with --object secret and --image-opts driver=luks";
    case "download":
      return "what was downloaded is perhaps a log-in or error page: look at it, and download the image again";
    case "pointer":
      return "get the file that it stands for, with git lfs pull";
  }
}
