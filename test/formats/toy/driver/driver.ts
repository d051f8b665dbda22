/** The toy driver: a format that nobody uses, written as a newcomer would write one by CONTRIBUTING's list (header.ts draws it). */

import type { FormatDriver } from "../../../../src/image/driver.ts";
import { TOY_MAGIC } from "./header.ts";
import { openToy } from "./image.ts";

export const toyDriver: FormatDriver = {
  name: "toy",
  aliases: ["plaything"],
  extensions: [".toy"],
  marks: [{ hostOffset: 0, bytes: TOY_MAGIC }],
  guestAt: "nowhere",
  open: ({ main }) => openToy(main),
};
