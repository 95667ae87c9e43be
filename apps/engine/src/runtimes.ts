import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@longshore/atomicfile";
import type { RuntimeSettings } from "@longshore/containers";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { packAny } from "@longshore/proto";
import { OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import { isRuntimeName } from "@longshore/docker-spec";
import type { Config } from "./config/config.ts";
import type { RuntimeConfig } from "./config/kinds/texts.ts";
import { shimOptions } from "./shim-options.ts";

/** containerd's name for the shim of this project, which drives the runtimes that are given by a path. */
const shim = "io.containerd.longshore.v2";

type RuntimeSource = Pick<Config, "dataRoot" | "execRoot" | "runtimes" | "defaultRuntime">;

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The program that calls a runtime with its arguments in front: the shim knows a binary only. Its name
 * tells its content, so that containers of an earlier configuration keep theirs while they run.
 */
function wrapperOf(
  dataRoot: string,
  name: string,
  path: string,
  args: readonly string[],
): { path: string; text: string } {
  const text = `#!/bin/sh\nexec ${[path, ...args].map(quote).join(" ")} "$@"\n`;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return { path: join(dataRoot, "runtimes", `${name.replaceAll("/", "_")}.${hash}`), text };
}

function checkRuntime(
  name: string,
  { path = "", runtimeArgs = [], runtimeType = "", options = {} }: RuntimeConfig,
): void {
  const refuse = (reason: string): never => {
    throw new InvalidArgument(`runtime ${name}: ${reason}`);
  };
  if (path === "" && runtimeType === "") refuse("either a runtimeType or a path must be configured");
  if (path !== "" && runtimeType !== "") refuse("cannot configure both path and runtimeType for the same runtime");
  if (path !== "" && Object.keys(options).length > 0) refuse("options cannot be used with a path runtime");
  if (runtimeType !== "" && runtimeArgs.length > 0) refuse("args cannot be used with a runtimeType runtime");
}

/** @param root where the runtime keeps the state of its containers: a place of this engine's own, as with Docker */
function byPath(
  binary: string,
  root: string,
  systemdCgroup: boolean,
  path: string,
  runtimeArgs: string[],
): RuntimeSettings {
  return {
    shim,
    options: packAny(OptionsSchema, { binaryName: binary, root, systemdCgroup }),
    path,
    runtimeArgs,
    binary,
  };
}

function typed(name: string, type: string, options: Record<string, unknown>): RuntimeSettings {
  try {
    return { shim: type, options: shimOptions(type, options, [shim]), path: "", runtimeArgs: [], binary: "" };
  } catch (error) {
    throw new InvalidArgument(`runtime ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * What the names of runtimes mean: the configured ones, and `runc`, by its own name and containerd's.
 * @throws InvalidArgument with dockerd's text for a runtime that is not wholly or not clearly
 * described, and for a default that does not exist
 */
export function runtimesOf(config: RuntimeSource, systemdCgroup: boolean): Record<string, RuntimeSettings> {
  if (Object.hasOwn(config.runtimes, "runc")) throw new InvalidArgument("runtime name 'runc' is reserved");
  const root = join(config.execRoot, "runtime-runc");
  const stock = byPath("runc", root, systemdCgroup, "runc", []);
  const runtimes: Record<string, RuntimeSettings> = { "io.containerd.runc.v2": stock, runc: stock };
  for (const [name, runtime] of Object.entries(config.runtimes)) {
    checkRuntime(name, runtime);
    const { path = "", runtimeArgs = [], runtimeType = "", options = {} } = runtime;
    if (runtimeType !== "") runtimes[name] = typed(name, runtimeType, options);
    else
      runtimes[name] = byPath(
        runtimeArgs.length === 0 ? path : wrapperOf(config.dataRoot, name, path, runtimeArgs).path,
        root,
        systemdCgroup,
        path,
        runtimeArgs,
      );
  }
  if (!Object.hasOwn(runtimes, config.defaultRuntime) && !isRuntimeName(config.defaultRuntime))
    throw new InvalidArgument(`specified default runtime '${config.defaultRuntime}' does not exist`);
  return runtimes;
}

/** Writes the programs that `runtimesOf` names for runtimes with arguments: `runtimes/NAME.HASH` in the data root. */
export async function writeRuntimeWrappers({
  dataRoot,
  runtimes,
}: Pick<Config, "dataRoot" | "runtimes">): Promise<void> {
  await mkdir(join(dataRoot, "runtimes"), { recursive: true, mode: 0o700 });
  for (const [name, { path = "", runtimeArgs = [] }] of Object.entries(runtimes)) {
    if (path === "" || runtimeArgs.length === 0) continue;
    const wrapper = wrapperOf(dataRoot, name, path, runtimeArgs);
    await writeFileAtomic(wrapper.path, wrapper.text, 0o700);
  }
}
