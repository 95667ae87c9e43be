import { compilePathMatch } from "@longshore/patterns";
import type { Reference } from "@longshore/reference";
import { familiarName, familiarString } from "@longshore/reference";

/** Conditions of a list; every one that is given must hold. Values within one are alternatives, labels are not. */
export interface ImageFilters {
  readonly dangling?: boolean;
  /** `key` or `key=value` */
  readonly labels: readonly string[];
  readonly notLabels: readonly string[];
  /** Glob patterns on the name with or without its tag. */
  readonly references: readonly string[];
  /** Images: older than all of these. */
  readonly before: readonly string[];
  readonly since: readonly string[];
  /** Milliseconds since 1970: created before. */
  readonly until?: number;
}

export const noFilters: ImageFilters = { labels: [], notLabels: [], references: [], before: [], since: [] };

/** Whether one `key` or `key=value` form holds for `labels`. */
function hasLabel(wanted: string, labels: Readonly<Record<string, string>>): boolean {
  const equals = wanted.indexOf("=");
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  if (!Object.hasOwn(labels, key)) return false;
  return equals < 0 || labels[key] === wanted.slice(equals + 1);
}

export function matchesLabels({ labels, notLabels }: ImageFilters, given: Readonly<Record<string, string>>): boolean {
  return labels.every((wanted) => hasLabel(wanted, given)) && !notLabels.some((unwanted) => hasLabel(unwanted, given));
}

/** Whether a name matches one of the patterns, with its tag or without; a malformed one matches nothing. */
export function referenceMatcher(patterns: readonly string[]): (reference: Reference) => boolean {
  const compiled = patterns.map(compilePathMatch);
  return (reference) =>
    compiled.some(
      (pattern) =>
        pattern !== undefined && (pattern.test(familiarString(reference)) || pattern.test(familiarName(reference))),
    );
}
