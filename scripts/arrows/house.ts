/**
 * The house: every folder of `src`, and what its files may import. `npm run arrows` writes this table into biome.json,
 * whose linter enforces it.
 *
 *   bytes <- storage <- image <- formats <- convert <- index <- cli, action
 *                         '- plan <- journal <- check -'   '-- acquire --'
 */

/** What only few may import. */
export type Guarded = "node:*" | "node:fs" | "commander" | "cli-progress" | "@actions";

export interface Room {
  /** Below `src`; `*` stands for any one name. Its own files alone: what lies deeper is a room by itself. */
  readonly folder: string;
  /** Files, and folders with all that lies in them, below `src`. */
  readonly may: readonly string[];
  /** True where its files put its own rooms together; else they know none of them. */
  readonly composes?: boolean;
  readonly packages?: readonly Guarded[];
  /** As whoever breaks it reads it. */
  readonly message: string;
}

type Walls = Omit<Room, "folder">;

/** A folder, and the rooms inside it with those of their neighbours that each may import. */
function divided(folder: string, walls: Walls, inside: Readonly<Record<string, readonly string[]>>): Room[] {
  const rooms = Object.entries(inside).map(([name, neighbours]) => ({
    ...walls,
    composes: false,
    folder: `${folder}/${name}`,
    may: [...walls.may, ...neighbours.map((each) => `${folder}/${each}`)],
    message: `${walls.message}; of what lies beside it ${name} may import ${neighbours.join(", ") || "nothing"}`,
  }));
  return [{ ...walls, folder }, ...rooms];
}

const core = ["bytes", "storage"];
const builtins: readonly Guarded[] = ["node:*"];
const disk: readonly Guarded[] = ["node:*", "node:fs"];
const format: Walls = {
  may: [...core, "image"],
  composes: true,
  packages: builtins,
  message: "a format may import bytes, storage and image only: no other format, never node:fs",
};

export const house: readonly Room[] = [
  { folder: "bytes", may: [], message: "bytes does no I/O and imports nothing but itself" },
  ...divided(
    "storage",
    { may: ["bytes"], packages: disk, message: "storage may import bytes only" },
    {
      users: ["*.ts"],
      file: ["*.ts", "users"],
    },
  ),
  ...divided(
    "image",
    { may: core, packages: builtins, message: "image may import bytes and storage only, and never node:fs" },
    { guest: ["*.ts"], gpt: [] },
  ),
  {
    folder: "formats",
    may: [
      ...core,
      "image",
      "formats/*/driver.ts",
      "formats/*/details.ts",
      "formats/*/target.ts",
      "formats/*/target/target.ts",
    ],
    packages: builtins,
    message:
      "formats may import bytes, storage and image only, and of a format its driver, its target and the details that it tells; never node:fs",
  },
  // One without walls of its own: a new format, until it has so many files that it wants them.
  { ...format, folder: "formats/*" },
  ...divided("formats/qcow2", format, {
    header: [],
    tables: ["header"],
    check: ["header", "tables"],
    target: ["header", "tables"],
    rearrange: ["header", "tables"],
    encode: ["header", "tables", "rearrange"],
    pack: ["header", "tables", "rearrange", "encode"],
    repair: ["header", "tables", "check", "target", "rearrange"],
  }),
  ...divided("formats/qed", format, {
    header: [],
    tables: ["header"],
    rearrange: ["header", "tables"],
    target: ["header", "tables", "rearrange"],
  }),
  ...divided("formats/vmdk", format, { sparse: ["*.ts"] }),
  ...divided("formats/vhdx", format, { header: [], tables: ["header"], log: ["header"], target: ["header", "tables"] }),
  ...divided("formats/vpc", format, { dynamic: ["*.ts"] }),
  ...divided(
    "plan",
    { may: ["bytes", "image"], composes: true, packages: builtins, message: "plan may import image and bytes only" },
    { schedule: [] },
  ),
  {
    folder: "journal",
    may: [...core, "plan"],
    packages: builtins,
    message: "journal may import plan, storage and bytes only, and never node:fs",
  },
  {
    folder: "check",
    may: ["bytes", "image", "plan", "journal"],
    packages: builtins,
    message: "check may import bytes, image, plan and journal only, and never node:fs",
  },
  ...divided(
    "convert",
    {
      may: [
        ...core,
        "image",
        "plan",
        "journal",
        "check",
        "formats/registry.ts",
        "formats/target-registry.ts",
        "formats/details.ts",
      ],
      composes: true,
      packages: builtins,
      message: "convert names no format (the registry does), no face, and never node:fs",
    },
    {
      options: [],
      report: ["options"],
      session: ["options"],
      inspect: ["options", "report", "session"],
      execute: ["options"],
      proof: ["options"],
      undo: ["options", "session", "inspect", "execute"],
      switch: ["options", "session", "inspect", "execute", "proof", "undo"],
      repair: ["options", "report", "session", "execute", "proof", "undo"],
      rearrange: ["options", "session", "inspect", "execute", "proof", "undo", "switch"],
      conversion: ["options", "report", "session", "inspect", "execute", "proof", "undo", "switch", "rearrange"],
      recovery: [
        "options",
        "report",
        "session",
        "inspect",
        "execute",
        "proof",
        "undo",
        "switch",
        "repair",
        "conversion",
      ],
      // What reads knows nobody who writes.
      reading: ["options", "report", "inspect"],
    },
  ),
  ...divided(
    "acquire",
    {
      may: [...core, "index.ts"],
      composes: true,
      packages: disk,
      message: "acquire may import bytes, storage and the public index only; its cache alone imports @actions/*",
    },
    { source: [], http: ["source"], checksum: ["source", "http"], unpack: ["source"], cache: ["source", "http"] },
  ).map((room) => (room.folder === "acquire/cache" ? { ...room, packages: [...disk, "@actions"] as const } : room)),
  {
    folder: "cli",
    may: ["acquire", "doors.ts", "index.ts", "../package.json"],
    packages: [...disk, "commander", "cli-progress"],
    message: "cli may import the public index, its doors and acquire only",
  },
  ...divided(
    "action",
    {
      may: ["acquire", "index.ts", "../package.json"],
      composes: true,
      packages: [...disk, "@actions"],
      message: "action may import the public index and acquire only",
    },
    {
      inputs: [],
      results: ["inputs"],
      fleet: ["inputs", "results"],
      images: ["inputs", "results", "fleet"],
      report: ["inputs", "results", "report/page/page.ts"],
    },
  ),
  {
    folder: "action/report/page",
    may: ["index.ts", "action/results", "action/report/*.ts"],
    packages: builtins,
    message: "the page is text made of results: it may import the public index, results and the report's words only",
  },
];
