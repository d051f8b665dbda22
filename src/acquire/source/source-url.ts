/** Which URLs may be fetched, where a redirect may lead, and how a URL is told without the secrets it may hold. */

import { ImageError, UsageError } from "../../index.ts";

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/** @throws UsageError for what is no URL, holds a password, or is not https (http is for this machine itself) */
export function sourceUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new UsageError(`Cannot download "${text}": it is no URL`);
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      `Cannot download ${shownUrl(url)}: a URL with a password ends up in logs; give it as a header`,
    );
  }
  if (!isAllowed(url))
    throw new UsageError(`Cannot download ${shownUrl(url)}: only https is safe on the way; use https`);
  return url;
}

/** Where `location` leads from `from`; relative ones too. Throws ImageError `unsupported` where it leads astray. */
export function redirected(from: URL, location: string): URL {
  const cannot = (why: string) =>
    new ImageError("unsupported", `Cannot follow the redirect of ${shownUrl(from)}: ${why}`, { operation: "download" });
  if (!URL.canParse(location, from.href)) throw cannot("it leads to no URL");
  const to = new URL(location, from);
  if (to.username !== "" || to.password !== "") throw cannot("it leads to a URL with a password");
  // A public server must not reach what listens on this machine.
  const isSafe = to.protocol === "https:" || (from.protocol === "http:" && isAllowed(to));
  if (!isSafe) throw cannot(`${shownUrl(to)} is not https`);
  return to;
}

/** Query and fragment left out: signed URLs carry their secret there. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function isAllowed({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.includes(hostname));
}
