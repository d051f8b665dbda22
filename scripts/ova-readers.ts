/**
 * `node scripts/ova-readers.ts [--schema PATH]`: OVAs that the built command makes, in each way that it has, read by tar,
 * xmllint and virt-v2v, which must find what they were made of and have nothing to say beside.
 *
 * It begins by proving that virt-v2v refuses a disk that its manifest contradicts. `--schema` is the path of DMTF's
 * envelope schema (DSP8023), with those that it imports beside it: the descriptors then have to obey it. The last line is
 * `N passed, N failed`. What 7-Zip and libvmdk find in an OVA's disk, `test/oracle/ova-target.test.ts` asks.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seededRandom } from "../test/support/random.ts";
import { ensureTools } from "./tools.ts";
import { TrialCount } from "./trial-count.ts";

const MiB = 2 ** 20;
const SIZE = 48 * MiB;
const command = fileURLToPath(new URL("../dist/cli.mjs", import.meta.url));
const { values } = parseArgs({ options: { schema: { type: "string" } } });

/** As VirtualBox and VMware write them: attributes in another order, a namespace by another prefix, more sections. */
const TEMPLATE = `<?xml version="1.0"?>
<Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>
    <File ovf:href="old.vmdk" ovf:id="file7"/>
  </References>
  <DiskSection>
    <Info>List of the virtual disks</Info>
    <Disk ovf:capacity="8" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="disk7" ovf:fileRef="file7" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#sparse"/>
  </DiskSection>
  <NetworkSection>
    <Info>Logical networks</Info>
    <Network ovf:name="NAT"/>
  </NetworkSection>
  <VirtualSystem ovf:id="templated">
    <Info>A machine</Info>
    <Name>templated</Name>
    <OperatingSystemSection ovf:id="96" vmw:osType="debian10_64Guest">
      <Info>The kind of system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Hardware</Info>
      <Item>
        <rasd:ElementName>CPUs</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>4</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits>
        <rasd:ElementName>Memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>512</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:ElementName>SCSI</rasd:ElementName>
        <rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:ElementName>Disk</rasd:ElementName>
        <rasd:HostResource>/disk/disk7</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;

interface Machine {
  readonly name: string;
  readonly memory: number;
  readonly cpus: number;
  readonly disk: "ide" | "scsi";
  /** Undefined where it has none. */
  readonly network: string | undefined;
}

interface Way {
  readonly title: string;
  /** How qemu-img makes the image; absent: it is raw. */
  readonly made?: readonly string[];
  /** What the command is told. */
  readonly words?: readonly string[];
  /** Of the file, without what follows the last dot. */
  readonly stem?: string;
  /** What virt-v2v has to find, where that is not the plain machine. */
  readonly machine?: Partial<Machine>;
}

const ways: readonly Way[] = [
  { title: "raw" },
  { title: "qcow2", made: ["-O", "qcow2"] },
  { title: "qcow2, compressed", made: ["-c", "-O", "qcow2"] },
  { title: "a stream", made: ["-O", "vmdk", "-o", "subformat=streamOptimized"] },
  { title: "VHDX", made: ["-O", "vhdx"] },
  { title: "the same file for the same guest", words: ["--reproducible"] },
  {
    title: "a machine as it is asked for",
    words: ["-o", "cpus=3", "-o", "memory=2G", "-o", "name=a machine", "-o", "network=lab & more"],
    machine: { name: "a machine", cpus: 3, memory: 2048 * MiB, network: "lab & more" },
  },
  ...["lsilogic", "buslogic", "legacyESX"].map(
    (adapter): Way => ({
      title: `a disk on ${adapter}`,
      words: ["-o", `adapter_type=${adapter}`],
      machine: { disk: "scsi" },
    }),
  ),
  {
    title: "a template",
    words: ["-o", "ovf=template.ovf"],
    machine: { name: "templated", cpus: 4, memory: 512 * MiB, disk: "scsi", network: undefined },
  },
  { title: "a name with blanks", stem: "a box 1", machine: { name: "a box 1" } },
  { title: "a name of other letters", stem: "kölner-箱 & co", machine: { name: "kölner-箱 & co" } },
];

const plain: Machine = { name: "box", memory: 1024 * MiB, cpus: 1, disk: "ide", network: "VM Network" };
const counts = new TrialCount();
const scratch = mkdtempSync(join(tmpdir(), "inplace-ova-readers-"));
try {
  ensureTools("qemu-img", "virt-v2v", "xmllint");
  writeGuest();
  writeFileSync(join(scratch, "template.ovf"), TEMPLATE);
  await counts.attempt("a changed byte of the disk is refused", () => expectRefused());
  for (const way of ways) await counts.attempt(way.title, () => readByAll(way));
} catch (error) {
  counts.giveUp(error);
} finally {
  rmSync(scratch, { recursive: true });
}
counts.end();

function writeGuest(): void {
  const random = seededRandom(1);
  const guest = Buffer.alloc(SIZE);
  for (let at = MiB; at < 5 * MiB; at += 4) guest.writeUInt32LE(random.below(2 ** 32), at);
  guest.fill("text ", 20 * MiB, 30 * MiB);
  writeFileSync(join(scratch, "guest.raw"), guest);
}

/** Its name. */
function make({ made, words = [], stem = "box" }: Way): string {
  const name = `${stem}.img`;
  rmSync(join(scratch, name), { force: true });
  run("qemu-img", ["convert", "-f", "raw", ...(made ?? ["-O", "raw"]), "guest.raw", name]);
  run(process.execPath, [command, "convert", name, "ova", ...(made ? [] : ["-f", "raw"]), ...words, "-q"]);
  renameSync(join(scratch, name), join(scratch, `${stem}.ova`));
  return `${stem}.ova`;
}

function readByAll(way: Way): void {
  const { stem = "box", machine } = way;
  const name = make(way);
  const listed = quietly("tar", ["-tf", name, "--quoting-style=literal"]).trim().split("\n");
  expectEqual("tar's list", listed, [`${stem}.ovf`, `${stem}-disk1.vmdk`, `${stem}.mf`]);
  const members = mkdtempSync(join(scratch, "members-"));
  quietly("tar", ["-xf", name, "-C", members]);
  quietly("xmllint", ["--nonet", "--noout", join(members, `${stem}.ovf`)]);
  if (values.schema !== undefined) {
    const words = ["--nonet", "--noout", "--schema", resolve(values.schema), join(members, `${stem}.ovf`)];
    run("xmllint", words);
  }
  expectEqual("what virt-v2v finds", foundByVirtV2v(name), { ...plain, name: stem, ...machine });
}

/** Its own words are few where it has nothing to warn of: what the machine is. */
function foundByVirtV2v(name: string): Machine {
  const said = quietly("virt-v2v", ["-i", "ova", name, "--print-source"]);
  const field = (label: string) => new RegExp(`${label}: (.*)`).exec(said)?.[1] ?? "";
  const disks = [...said.matchAll(/^\t\d+ \[(.*)\]$/gm)].map(([, bus]) => bus);
  expectEqual("virt-v2v's list of disks", disks.length, 1);
  return {
    name: field("source name"),
    memory: Number.parseInt(field("memory"), 10),
    cpus: Number(field("nr vCPUs")),
    disk: disks[0] as Machine["disk"],
    network: /(?:Bridge|Network) "(.*)"/.exec(said)?.[1],
  };
}

function expectRefused(): void {
  const name = make({ title: "" });
  const bytes = readFileSync(join(scratch, name));
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(join(scratch, name), bytes);
  const { status, stderr } = spawnSync("virt-v2v", ["-i", "ova", name, "--print-source"], asText());
  if (status === 0 || !/checksum|does not match/i.test(stderr))
    throw new Error(`virt-v2v ended with ${status}: ${stderr}`);
}

function asText() {
  const env = { ...process.env, LIBGUESTFS_BACKEND: "direct", LC_ALL: "C.UTF-8" };
  return { cwd: scratch, env, encoding: "utf8" } as const;
}

function run(program: string, words: readonly string[]): string {
  return execFileSync(program, words, { ...asText(), stdio: ["ignore", "pipe", "pipe"] });
}

/** Throws where it fails and where it has something to say on stderr. */
function quietly(program: string, words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, words, asText());
  if (status !== 0 || stderr !== "") throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

function expectEqual(what: string, found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what} is ${a}, not ${b}`);
}
