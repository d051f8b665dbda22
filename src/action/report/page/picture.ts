/**
 * The file before and after, to scale: each kind of space one path, and a band from every byte of data that stayed.
 *
 *   before   |h| t |data....|  |data|
 *                   ::::::::    ::::     what stays lies straight below
 *   after    |h|   |data....|  |data| t |
 */

import { type FileLayout, formatSize, type LayoutKind, type LayoutRun } from "../../../index.ts";
import { type Html, html } from "../html.ts";

/**
 * What of the guest's data was copied, as far as it is known: none, all, or some. Of some the places tell, which may hold
 * other data now.
 */
export type Moved = "none" | "some" | "all";

/** What is drawn, and what is said of it. */
export interface Picture {
  readonly before: FileLayout;
  readonly after: FileLayout | null;
  readonly moved: Moved;
}

/** Units across the longer file; heights are units too. */
export const WIDTH = 10_000;
const BAR = 36;
const BAND = 32;

export const KIND_NAMES: Readonly<Record<LayoutKind, string>> = {
  header: "Header",
  tables: "Tables",
  data: "Guest data",
  compressed: "Compressed data",
  free: "Free",
};
const DRAWN = ["data", "compressed", "tables", "header"] as const satisfies readonly LayoutKind[];

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** @param id unique on the page */
export function pictureSvg({ before, after, moved: howMuch }: Picture, id: string, name: string): Html {
  const longest = Math.max(before.fileSize, after?.fileSize ?? 0, 1);
  const parts = [bar(before, longest, 0)];
  if (after) {
    const { stayed, moved } = whatMoved(before, after, howMuch);
    parts.push(path("stays", stayed, longest, BAR, BAND), bar(after, longest, BAR + BAND));
    parts.push(path("moved", moved, longest, BAR + BAND, BAR / 4));
  }
  const height = after ? 2 * BAR + BAND : BAR;
  const description = after ? `Before: ${said(before)}. After: ${said(after)}.` : `${said(before)}.`;
  const title = html`<title id="${id}-title">Where things lie in ${name}</title>`;
  const head = html`${after ? "" : html` class="single"`} viewBox="0 0 ${WIDTH} ${height}" preserveAspectRatio="none" role="img"`;
  return html`<svg${head} aria-labelledby="${id}-title ${id}-desc">${title}<desc id="${id}-desc">${description}</desc>${parts}</svg>`;
}

/** The same marks as in the picture. */
export function swatch(kind: LayoutKind | "moved"): Html {
  const [top, height] = kind === "compressed" ? [BAR / 2, BAR / 2] : [0, BAR];
  const mark =
    kind === "moved"
      ? html`<path class="data" d="M0 0h50v${BAR}h-50z"/><path class="moved" d="M0 0h50v${BAR / 4}h-50z"/>`
      : kind === "free"
        ? ""
        : html`<path class="${kind}" d="M0 ${top}h50v${height}h-50z"/>`;
  const frame = html`<path class="file" d="M0 0h50v${BAR}h-50z"/>`;
  return html`<svg viewBox="0 0 50 ${BAR}" preserveAspectRatio="none" aria-hidden="true">${frame}${mark}</svg>`;
}

/**
 * Data after that lay at the same place before, and data that did not; both empty where that can't be told.
 * Only data's places are compared: a place that holds another cluster now counts as the same.
 */
export function whatMoved(
  before: FileLayout,
  after: FileLayout,
  howMuch: Moved,
): { readonly stayed: readonly Stretch[]; readonly moved: readonly Stretch[] } {
  const [old, now] = [stretchesOf(before), stretchesOf(after)];
  if (howMuch === "all") return { stayed: [], moved: now };
  const isUnmoved = howMuch === "none";
  if (!before.isExact || !after.isExact) return { stayed: isUnmoved ? old : [], moved: [] };
  const stayed = now.flatMap((each) => within(old, each));
  const moved = now.flatMap((each) => without(within(old, each), each));
  return { stayed, moved: isUnmoved ? [] : moved };
}

function bar(layout: FileLayout, longest: number, top: number): Html {
  const file = path("file", [{ start: 0, end: layout.fileSize }], longest, top, BAR);
  const kinds = DRAWN.map((kind) => {
    const stretches = layout.runs.filter((run) => run.kind === kind).map(stretchOf);
    return kind === "compressed"
      ? path(kind, stretches, longest, top + BAR / 2, BAR / 2)
      : path(kind, stretches, longest, top, BAR);
  });
  return html`${[file, ...kinds]}`;
}

/** Neighbours' edges are rounded alike, so that neither gap nor overlap comes of it. */
function path(kind: string, stretches: readonly Stretch[], longest: number, top: number, height: number): Html {
  const x = (place: number) => Math.round((place / longest) * WIDTH);
  const boxes = stretches.map(({ start, end }) => {
    const width = x(end) - x(start);
    return html`M${x(start)} ${top}h${width}v${height}h-${width}z`;
  });
  return boxes.length === 0 ? html`` : html`<path class="${kind}" d="${boxes}"/>`;
}

function said(layout: FileLayout): string {
  const kinds = Object.entries(KIND_NAMES) as [LayoutKind, string][];
  const parts = kinds.flatMap(([kind, name]) =>
    layout.bytes[kind] > 0 ? [`${name.toLowerCase()} ${formatSize(layout.bytes[kind])}`] : [],
  );
  return `${formatSize(layout.fileSize)}, of it ${parts.join(", ")}`;
}

function stretchOf({ start, length }: LayoutRun): Stretch {
  return { start, end: start + length };
}

function stretchesOf({ runs }: FileLayout): Stretch[] {
  return runs.filter(({ kind }) => kind === "data" || kind === "compressed").map(stretchOf);
}

function within(stretches: readonly Stretch[], { start, end }: Stretch): Stretch[] {
  return stretches
    .map((each) => ({ start: Math.max(each.start, start), end: Math.min(each.end, end) }))
    .filter((each) => each.end > each.start);
}

/** What `stretches`, all within it and in order, leave of one. */
function without(stretches: readonly Stretch[], { start, end }: Stretch): Stretch[] {
  const edges = [start, ...stretches.flatMap((each) => [each.start, each.end]), end];
  const gaps = Array.from({ length: edges.length / 2 }, (_, index) => ({
    start: edges[2 * index] as number,
    end: edges[2 * index + 1] as number,
  }));
  return gaps.filter((each) => each.end > each.start);
}
