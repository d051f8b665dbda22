/** The sizes of a qcow2 image that every walk needs, derived once from its header. All in bytes unless named otherwise. */
import { type Qcow2Header } from "./header.ts";
export interface Qcow2Geometry {
    readonly clusterBits: number;
    readonly clusterSize: number;
    readonly virtualSize: number;
    /** 8, or 16 with subclusters. */
    readonly l2EntrySize: number;
    /** Entries of one L2 table. */
    readonly l2EntryCount: number;
    /** Guest bytes that one L2 table maps. */
    readonly bytesPerL2Table: number;
    readonly hasSubclusters: boolean;
    /** Version 2 knows no zero clusters. */
    readonly hasZeroFlag: boolean;
    /** The file's length in whole sectors: what lies past it belongs to no cluster. */
    readonly hostEnd: number;
    /** Host clusters, the last one perhaps cut short by the end of file. */
    readonly hostClusterCount: number;
}
export declare function geometryOf(header: Qcow2Header, fileSize: number): Qcow2Geometry;
