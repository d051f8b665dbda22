/** The VHD driver, by qemu-img's name (footer.ts): fixed and dynamic ones; differencing ones are told by name. */

import type { FormatDriver } from "../../image/driver.ts";
import { VHD_COOKIE } from "./footer.ts";
import { SIZE_FROM } from "./size.ts";

const reader = () => import("./open.ts");

export const vpcDriver: FormatDriver = {
  name: "vpc",
  aliases: ["vhd"],
  extensions: [".vhd", ".vpc"],
  marks: [
    { hostOffset: -512, bytes: VHD_COOKIE, twin: { hostOffset: -452, bytes: "\0\0\0\x03" } },
    // Before Virtual PC 2004 the footer had a byte less.
    { hostOffset: -511, bytes: VHD_COOKIE },
    // The copy of a dynamic one.
    { hostOffset: 0, bytes: VHD_COOKIE },
  ],
  guestAt: "start",
  openOptions: [SIZE_FROM],
  load: reader,
  open: async (files) => (await reader()).openVpc(files),
  onePiece: { by: "raw", unless: ({ subformat }) => subformat !== "fixed" },
};
