import { readFileSync } from "node:fs";

/** A mount of this process's namespace: proc(5) on `/proc/PID/mountinfo`. */
export interface MountInfo {
  /** `major:minor` of the file system. */
  device: string;
  /** What of the file system is mounted. */
  root: string;
  mountPoint: string;
  /** `shared:1`, `master:2` */
  optional: string[];
  type: string;
  /** The file system's own options. */
  options: string[];
}

const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/** As the kernel writes paths: space, tab, newline and backslash in octal. */
const escape = (text: string): string =>
  text.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);

/** All mounts, in the order of the kernel. @param text of a mountinfo file, by default this process's */
export function readMountInfo(text: string = readFileSync("/proc/self/mountinfo", "utf8")): MountInfo[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ");
      const dash = fields.indexOf("-", 6);
      const [, , device = "", root = "", mountPoint = ""] = fields;
      const [type = "", , options = ""] = fields.slice(dash + 1);
      return {
        device,
        root: unescape(root),
        mountPoint: unescape(mountPoint),
        optional: fields.slice(6, dash),
        type,
        options: options.split(",").map(unescape),
      };
    });
}

/** Mount points below a folder, in the order of their making. */
export function mountPointsBelow(path: string): string[] {
  const table = readFileSync("/proc/self/mountinfo", "utf8");
  const below = `${path}/`;
  // Mostly there is none, and the table has a line for each container.
  if (!table.includes(escape(below))) return [];
  return readMountInfo(table)
    .map(({ mountPoint }) => mountPoint)
    .filter((mountPoint) => mountPoint.startsWith(below));
}
