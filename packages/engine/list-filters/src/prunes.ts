import { type Filters, hasLabel } from "./filters.ts";

/** Whether the filters `label` and `label!` of a prune accept an object with these labels. */
export function acceptsLabels(filters: Filters, labels: Record<string, string> | null | undefined): boolean {
  return filters.labels("label", labels) && !filters.get("label!").some((wanted) => hasLabel(wanted, labels ?? {}));
}
