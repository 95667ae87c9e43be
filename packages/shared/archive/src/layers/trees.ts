import { readFileSync } from "node:fs";
import type { MountSpec } from "@longshore/sys";
import type { Trees } from "../diff/diff.ts";
import { byteString } from "../tar/header.ts";
import { bindSource, overlayFolders, mountReadonly } from "./mounts.ts";

/** Whether the kernel may leave references to lower files in upper folders, which only a mount can follow. */
function upperTellsAll(): boolean {
  return ["redirect_dir", "metacopy"].every((name) => {
    try {
      return readFileSync(`/sys/module/overlay/parameters/${name}`, "latin1").trim() === "N";
    } catch {
      return false;
    }
  });
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

/** The folder lists where the right side is an upper folder right above what the left side shows. */
function upperOf(left: readonly MountSpec[], right: readonly MountSpec[]): Trees | undefined {
  if (left.length === 0) {
    const bind = bindSource(right);
    return bind === undefined ? undefined : { upper: byteString(bind.source), lowers: [] };
  }
  const { upper, lowers = [] } = overlayFolders(right) ?? {};
  if (upper === undefined || !upperTellsAll()) return undefined;
  const overlay = overlayFolders(left);
  const bind = bindSource(left);
  const leftLowers =
    overlay !== undefined && overlay.upper === undefined
      ? overlay.lowers
      : bind === undefined
        ? undefined
        : [bind.source];
  return leftLowers !== undefined && sameList(leftLowers, lowers)
    ? { upper: byteString(upper), lowers: lowers.map(byteString) }
    : undefined;
}

/** Two states, reachable until closed. */
export interface OpenTrees {
  trees: Trees;
  close(): void;
}

/**
 * Opens the two states that the mounts show: the folders themselves when the right one is an overlay
 * on the left one, or else temporary read-only mounts in `folder`.
 */
export function openTrees(left: readonly MountSpec[], right: readonly MountSpec[], folder: string): OpenTrees {
  const direct = upperOf(left, right);
  if (direct !== undefined) return { trees: direct, close: () => undefined };
  const leftMount = mountReadonly(left, folder);
  try {
    const rightMount = mountReadonly(right, folder);
    const close = (): void => {
      rightMount.close();
      leftMount.close();
    };
    return { trees: { left: byteString(leftMount.root), right: byteString(rightMount.root) }, close };
  } catch (error) {
    leftMount.close();
    throw error;
  }
}
