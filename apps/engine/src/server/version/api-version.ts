import { InvalidArgument } from "@longshore/errdefs";

/** Newest and oldest Docker Engine API version that the engine speaks. */
export const maxApiVersion = "1.51";
export const minApiVersion = "1.24";

/**
 * The Docker Engine release whose behaviour the API follows. Clients gate features on it, so it
 * is what `Server` and `/version` show; the project's own version stands in `Platform.Name`.
 */
export const engineVersion = "28.5.2";

/** Compares dotted versions by their numbers; a missing part counts as 0. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** @throws InvalidArgument with Docker's text when the version is out of the served range. */
export function checkVersion(version: string): void {
  if (compareVersions(version, minApiVersion) < 0) {
    throw new InvalidArgument(
      `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, please upgrade your client to a newer version`,
    );
  }
  if (compareVersions(version, maxApiVersion) > 0) {
    throw new InvalidArgument(
      `client version ${version} is too new. Maximum supported API version is ${maxApiVersion}`,
    );
  }
}
