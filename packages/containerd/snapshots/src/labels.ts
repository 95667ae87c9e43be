import { InvalidArgument } from "@longshore/errdefs";
import type { SnapshotInfo } from "./contract.ts";

/**
 * The labels after an update by field mask: without paths, or with `labels`, they are replaced;
 * `labels.K` sets one, or removes it when its new value is empty.
 * @throws InvalidArgument for any other path
 */
export function changedLabels(
  { name, labels }: Pick<SnapshotInfo, "name" | "labels">,
  current: Record<string, string>,
  fieldpaths: readonly string[],
): Record<string, string> {
  if (fieldpaths.length === 0) return labels;
  let changed = { ...current };
  for (const path of fieldpaths) {
    if (path === "labels") changed = { ...labels };
    else if (path.startsWith("labels.")) {
      const key = path.slice("labels.".length);
      const value = labels[key] ?? "";
      if (value === "") delete changed[key];
      else changed[key] = value;
    } else throw new InvalidArgument(`cannot update "${path}" field on snapshot "${name}": invalid argument`);
  }
  return changed;
}
