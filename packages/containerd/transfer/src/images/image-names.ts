import type { Descriptor } from "@longshore/oci";
import { parseNormalized } from "@longshore/reference";
import type { ImageDestination } from "../contract.ts";

/** Annotations by which archives name their images. */
export const imageNameAnnotation = "io.containerd.image.name";
export const refNameAnnotation = "org.opencontainers.image.ref.name";

function isWithin(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && (name.length === prefix.length || "/:@".includes(name.charAt(prefix.length)));
}

/** The whole name of an archived image under a prefix; "" when it may not have one. */
function nameFor(annotations: Readonly<Record<string, string>>, prefix: string, anyName: boolean): string {
  const complete = (name: string): string => {
    if (prefix === "") return "";
    if (!/[/:@]/.test(name)) return `${prefix}:${name}`;
    return anyName || isWithin(name, prefix) ? name : "";
  };
  const whole = annotations[imageNameAnnotation] ?? "";
  checkName(whole);
  // containerd's own annotation holds a full name, which is taken as it is or not at all.
  if (whole !== "") return complete(whole) === whole ? whole : "";
  const ref = annotations[refNameAnnotation] ?? "";
  const name = ref === "" ? "" : complete(ref);
  checkName(name);
  return name;
}

/** What an archive calls an image comes from outside: it must be a name that a user could give. @throws InvalidArgument */
function checkName(name: string): void {
  if (name !== "") parseNormalized(name);
}

/** The names under which an image from an archive is stored, by containerd's rules. */
export function archivedNames(
  image: Descriptor,
  { extraReferences }: Pick<ImageDestination, "extraReferences">,
): string[] {
  const names: string[] = [];
  for (const rule of extraReferences.filter(({ isPrefix }) => isPrefix)) {
    const name = nameFor(image.annotations ?? {}, rule.name, rule.allowOverwrite);
    if (name !== "") names.push(name);
    if (rule.addDigest && (name === "" || !rule.skipNamedDigest)) names.push(`${rule.name}@${image.digest}`);
  }
  return [...new Set(names)];
}

/** The names under which a pulled or tagged image is stored. */
export function storedNames(
  image: Descriptor,
  { name, extraReferences }: Pick<ImageDestination, "name" | "extraReferences">,
): string[] {
  const extra = extraReferences
    .filter(({ isPrefix }) => !isPrefix)
    .map((rule) => (rule.addDigest ? `${rule.name}@${image.digest}` : rule.name));
  return [...new Set([...(name === "" ? [] : [name]), ...extra])];
}
