import { defaultDomain, type Reference } from "./reference.ts";

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

/** The repository with its domain: `docker.io/library/debian`. */
export function repositoryOf({ domain, path }: Reference): string {
  return domain === "" ? path : `${domain}/${path}`;
}

/** The whole name: `docker.io/library/debian:12`. */
export function format(reference: Reference): string {
  return repositoryOf(reference) + suffix(reference);
}

/** The repository as Docker shows it: `debian` for `docker.io/library/debian`. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== defaultDomain) return repositoryOf(reference);
  // `docker.io/library/a/b` keeps its first part: without it, it would be another repository.
  const short = /^library\/([^/]+)$/.exec(reference.path);
  return short?.[1] ?? reference.path;
}

/** The whole name as Docker shows it: `debian:12`. */
export function familiarString(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}
