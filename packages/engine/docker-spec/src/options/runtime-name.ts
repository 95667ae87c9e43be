/**
 * Whether a runtime that is not configured may be containerd's name of a shim: it has a dot that is
 * not its first character, and is no path, by which a client could have any program run.
 */
export function isRuntimeName(name: string): boolean {
  return name.indexOf(".") > 0 && !name.includes("/");
}
