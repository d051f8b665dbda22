/** The text beside a bundle's images, element by element. */

export interface BundleWords {
  readonly files?: readonly string[];
  readonly storages?: number;
  readonly shots?: number;
  readonly padding?: string;
  readonly engine?: string;
}

const NO_ENGINE = "{00000000-0000-0000-0000-000000000000}";

export function buildBundleText({
  files = ["disk.img"],
  storages = 1,
  shots = 1,
  padding = "0",
  engine = NO_ENGINE,
}: BundleWords = {}): Buffer {
  const image = (file: string, index: number) => `
        <Image>
            <GUID>{5fbaabe3-6958-40ff-92a7-86000000000${index}}</GUID>
            <Type>Compressed</Type>
            <File>${file}</File>
        </Image>`;
  const storage = (inside: string) => `
    <Storage>
        <Start>0</Start>
        <End>320</End>
        <Blocksize>8</Blocksize>${inside}
    </Storage>`;
  const shot = (index: number) => `
        <Shot>
            <GUID>{5fbaabe3-6958-40ff-92a7-86000000000${index}}</GUID>
            <ParentGUID>{00000000-0000-0000-0000-000000000000}</ParentGUID>
        </Shot>`;
  const more = Array.from({ length: storages - 1 }, () => storage(""));
  return Buffer.from(`<?xml version='1.0' encoding='UTF-8'?>
<!-- of a program -- or two -->
<Parallels_disk_image Version="1.0">
    <Disk_Parameters>
        <Disk_size>320</Disk_size>
        <PhysicalSectorSize>4096</PhysicalSectorSize>
        <Padding>${padding}</Padding>
        <Encryption>
            <Engine>${engine}</Engine>
            <Data></Data>
        </Encryption>
        <Miscellaneous/>
    </Disk_Parameters>
    <StorageData>${storage(files.map(image).join(""))}${more.join("")}
    </StorageData>
    <Snapshots>${Array.from({ length: shots }, (_, index) => shot(index)).join("")}
    </Snapshots>
</Parallels_disk_image>
`);
}
