import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { Unknown } from "@longshore/errdefs";

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * The file name of the shim for a runtime name: the last two of its dotted parts,
 * `io.containerd.runc.v2` → `containerd-shim-runc-v2`.
 * @throws Unknown, as containerd does, for a name of another form
 */
export function shimName(runtime: string): string {
  const parts = runtime.split(".");
  if (runtime.includes("/") || parts.length < 2 || parts[0] === "") {
    throw new Unknown(
      `invalid runtime name ${runtime}, correct runtime name should be either format like \`io.containerd.runc.v2\` or a full path to the binary`,
    );
  }
  return `containerd-shim-${parts.at(-2)}-${parts.at(-1)}`;
}

/**
 * `io.containerd.runc.v2` is what clients such as ctr ask for by default. Where its stock shim is not
 * installed, ours serves: it takes the same options and drives the same runc.
 */
const standIns: Readonly<Record<string, string>> = { "containerd-shim-runc-v2": "containerd-shim-longshore-v2" };

/**
 * Finds the shim of a runtime: an absolute path is taken as it is; a name is looked up in `dirs`,
 * then in $PATH.
 * @throws Unknown, as containerd does, for a malformed name or when it is not installed
 */
export async function resolveShim(runtime: string, dirs: readonly string[]): Promise<string> {
  if (isAbsolute(runtime)) {
    if (await isExecutable(runtime)) return runtime;
    throw new Unknown(`invalid custom binary path: stat ${runtime}: no such file or directory`);
  }
  const name = shimName(runtime);
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((dir) => isAbsolute(dir));
  const standIn = standIns[name];
  for (const file of standIn === undefined ? [name] : [name, standIn]) {
    for (const dir of [...dirs, ...path]) {
      const candidate = join(dir, file);
      if (await isExecutable(candidate)) return candidate;
    }
  }
  throw new Unknown(`runtime "${runtime}" binary not installed "${name}": file does not exist`);
}
