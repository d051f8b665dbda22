/** The target's extension in place of the image's. */

import { expect, test } from "vitest";
import { nameFor } from "../../../src/formats/naming.ts";

test.each([
  ["disk.qed", "qcow2", "disk.qcow2"],
  ["disk.img.qed", "qcow2", "disk.img.qcow2"],
  ["a.qed/disk.IMG", "qed", "a.qed/disk.qed"],
  ["disk.qcow2", "vpc", "disk.vhd"],
  ["disk.qcow", "raw", "disk.raw"],
  ["disk", "qcow2", "disk"],
  ["disk.qed.old", "qcow2", "disk.qed.old"],
  ["disk.QCOW2", "qcow2", "disk.QCOW2"],
])("%s to %s: %s", (path, format, name) => expect(nameFor(path, format)).toBe(name));
