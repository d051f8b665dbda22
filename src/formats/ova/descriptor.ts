/**
 * The OVF descriptor of an OVA that is made (DSP0243): the user's template, or a plain one, in which the disk's file, sizes and
 * format are filled in.
 */

import { UsageError } from "../../bytes/image-error.ts";
import { ovfDisks, stretchesOf } from "../../bytes/ovf-text.ts";
import type { TargetOptionValues } from "../../image/target-options.ts";

/** What VMware writes of its streams. */
const STREAM_FORMAT = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
const SCHEMAS = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2";

export interface OvfFacts {
  readonly machine: string;
  readonly diskFile: string;
  readonly diskFileSize: number;
  readonly virtualSize: number;
  /** Of the disk, that are stored. */
  readonly populatedSize: number;
}

export interface MachineOptions {
  readonly cpus: number;
  /** In MiB. */
  readonly memory: number;
  readonly network: string;
  readonly name: string | undefined;
  readonly adapter: string;
  /** Undefined where none was given. */
  readonly template: string | undefined;
}

export function machineOptions(options: TargetOptionValues): MachineOptions {
  const { cpus = 1, memory = 1024 * 2 ** 20, network = "VM Network", name, adapter_type = "ide", ovf_text } = options;
  return {
    cpus: Number(cpus),
    memory: Math.ceil(Number(memory) / 2 ** 20),
    network: String(network),
    name: name === undefined ? undefined : String(name),
    adapter: String(adapter_type),
    template: typeof ovf_text === "string" ? Buffer.from(ovf_text, "hex").toString("utf8") : undefined,
  };
}

/** Throws UsageError for a template in which there is no one disk to fill in. */
export function descriptorText(machine: MachineOptions, facts: OvfFacts): string {
  return machine.template === undefined ? plainText(machine, facts) : filledIn(machine.template, facts);
}

/** Before the first unit the carrier's first cluster has room for descriptor, blocks and the disk's own front. */
export const MAX_DESCRIPTOR = 48 * 1024;
/** What the numbers and names that are filled in make a descriptor longer, at most. */
export const ROOM_TO_FILL = 2048;

/** Whether an OVA can be made with it. */
export function canBeTemplate(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString("utf8");
  if (Buffer.compare(Buffer.from(text), bytes) !== 0 || bytes.length > MAX_DESCRIPTOR - 2 * ROOM_TO_FILL) return false;
  try {
    filledIn(text, { machine: "", diskFile: "disk", diskFileSize: 0, virtualSize: 0, populatedSize: 0 });
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** No two parts of it take the same characters side by side. */
const ELEMENT = /<((?:[\w.-]+:)?)(File|Disk)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/g;

function filledIn(template: string, facts: OvfFacts): string {
  const { diskFile, diskFileSize, virtualSize, populatedSize } = facts;
  const values = {
    File: { href: diskFile, size: diskFileSize },
    Disk: { capacity: virtualSize, capacityAllocationUnits: "byte", format: STREAM_FORMAT, populatedSize },
  };
  const found = { File: 0, Disk: 0 };
  const set = (_: string, prefix: string, name: "File" | "Disk", said: string, end: string) => {
    found[name]++;
    return `<${prefix}${name}${setting(said, values[name])}${end}>`;
  };
  const parts = [...stretchesOf(template)].map(({ part, isPassedOver }) =>
    isPassedOver ? part : part.replace(ELEMENT, set),
  );
  const disks = ovfDisks(Buffer.from(template));
  const [disk, second] = disks ?? [];
  if (disk === undefined || second !== undefined || found.File !== 1 || found.Disk !== 1)
    throw new UsageError(
      "Cannot use the OVF template: it must be an Envelope with one File and one Disk, whose file that is",
    );
  if (disk.compression !== undefined || disk.isChunked)
    throw new UsageError("Cannot use the OVF template: its disk's file is compressed or cut into pieces");
  return parts.join("");
}

/** Attributes of an element with others in their place, under the prefix that they have there. */
function setting(said: string, values: Readonly<Record<string, string | number>>): string {
  const attributes = [...said.matchAll(/\s+(([\w.-]+:)?([\w.-]+))\s*=\s*("[^"]*"|'[^']*')/g)];
  const kept = attributes.filter(([, , , local = ""]) => !Object.hasOwn(values, local));
  const [, , prefix = "ovf:"] = attributes[0] ?? [];
  const set = Object.entries(values).map(([name, value]) => ` ${prefix}${name}="${escaped(String(value))}"`);
  return [...kept.map(([, name, , , value]) => ` ${name}=${value}`), ...set].join("");
}

/** Whether XML has all its characters ("Extensible Markup Language 1.0", 2.2), of which it can't write the others in any way. */
export function isXml(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u.test(text);
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] as string);
}

/** Of each device the number that CIM_ResourceAllocationSettingData has for it. */
const ResourceType = { processor: 3, memory: 4, ide: 5, scsi: 6, ethernet: 10, disk: 17 } as const;

interface Item {
  readonly type: number;
  readonly name: string;
  readonly more: Readonly<Record<string, string | number>>;
}

function plainText(machine: MachineOptions, facts: OvfFacts): string {
  const { cpus, memory, adapter } = machine;
  const name = escaped(machine.name ?? facts.machine);
  const network = escaped(machine.network);
  const isIde = adapter === "ide";
  const controller: Item = isIde
    ? { type: ResourceType.ide, name: "IDE controller", more: { Address: 0 } }
    : {
        type: ResourceType.scsi,
        name: "SCSI controller",
        more: { Address: 0, ResourceSubType: adapter === "buslogic" ? "buslogic" : "lsilogic" },
      };
  const items: readonly Item[] = [
    { type: ResourceType.processor, name: `${cpus} virtual CPU`, more: { VirtualQuantity: cpus } },
    {
      type: ResourceType.memory,
      name: `${memory} MB of memory`,
      more: { AllocationUnits: "byte * 2^20", VirtualQuantity: memory },
    },
    controller,
    {
      type: ResourceType.disk,
      name: "Disk",
      more: { AddressOnParent: 0, HostResource: "ovf:/disk/vmdisk1", Parent: 3 },
    },
    {
      type: ResourceType.ethernet,
      name: "Ethernet adapter",
      more: { AutomaticAllocation: "true", Connection: network, ResourceSubType: "E1000" },
    },
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="${SCHEMAS}/CIM_ResourceAllocationSettingData" xmlns:vssd="${SCHEMAS}/CIM_VirtualSystemSettingData">
  <References>
    <File ovf:id="file1" ovf:href="${escaped(facts.diskFile)}" ovf:size="${facts.diskFileSize}"/>
  </References>
  <DiskSection>
    <Info>The virtual disk</Info>
    <Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:capacity="${facts.virtualSize}" ovf:capacityAllocationUnits="byte" ovf:populatedSize="${facts.populatedSize}" ovf:format="${STREAM_FORMAT}"/>
  </DiskSection>
  <NetworkSection>
    <Info>The networks</Info>
    <Network ovf:name="${network}">
      <Description>The network of the machine</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="${name}">
    <Info>A virtual machine</Info>
    <Name>${name}</Name>
    <OperatingSystemSection ovf:id="1">
      <Info>The guest's system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>The virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>${name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-07</vssd:VirtualSystemType>
      </System>
${items.map(itemText).join("\n")}
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}

/** Its elements in the order of their names, as the schema wants them. */
function itemText({ type, name, more }: Item, index: number): string {
  const all = { ...more, ElementName: name, InstanceID: index + 1, ResourceType: type };
  const lines = Object.entries(all)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([element, value]) => `        <rasd:${element}>${value}</rasd:${element}>`);
  return `      <Item>\n${lines.join("\n")}\n      </Item>`;
}
