import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { lgetxattr, llistxattr } from "@longshore/sys";
import { fsPath } from "../extract/path.ts";

/**
 * All that can be told of a tree, one line a file: mode, owner, kind, size, time, links, attributes,
 * content. Two trees are the same when their lines are.
 */
export function describeTree(root: string, options: { times?: boolean } = {}): string[] {
  const inodes = new Map<bigint, string>();
  const lines: string[] = [];
  const visit = (path: string, name: string): void => {
    const stat = lstatSync(fsPath(path), { bigint: true });
    const first = inodes.get(stat.ino) ?? name;
    inodes.set(stat.ino, first);
    const parts = [name || ".", stat.mode.toString(8), `${stat.uid}:${stat.gid}`];
    if (!stat.isDirectory()) parts.push(`nlink=${stat.nlink}`, first === name ? "" : `=${first}`);
    if (options.times !== false) parts.push(`mtime=${stat.mtimeNs}`);
    if (stat.isFile())
      parts.push(
        `size=${stat.size}`,
        readFileSync(fsPath(path))
          .toString("latin1")
          .slice(0, 1 << 16),
      );
    if (stat.isSymbolicLink()) parts.push(`-> ${readlinkSync(fsPath(path), "latin1")}`);
    if (stat.isCharacterDevice() || stat.isBlockDevice()) parts.push(`rdev=${stat.rdev}`);
    for (const key of llistxattr(fsPath(path)).sort()) {
      if (!key.startsWith("trusted.overlay.") || key === "trusted.overlay.opaque")
        parts.push(`${key}=${lgetxattr(fsPath(path), key).toString("hex")}`);
    }
    lines.push(parts.join(" "));
    if (stat.isDirectory())
      for (const child of readdirSync(fsPath(path), { encoding: "latin1" }).sort())
        visit(`${path}/${child}`, name === "" ? child : `${name}/${child}`);
  };
  visit(root, "");
  return lines;
}
