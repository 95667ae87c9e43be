import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { InvalidArgument } from "@longshore/errdefs";
import { isRuntimeName } from "@longshore/docker-spec";
import type { Context, RuntimeSettings } from "../model/context.ts";

/**
 * The shim of a container's runtime and what it is told. A dotted name that is not configured is
 * containerd's name of a shim, which may be installed by the time the container starts.
 * @throws InvalidArgument when there is no such runtime, or the binary that arguments are added to is missing
 */
export function runtimeOf(
  { settings }: Pick<Context, "settings">,
  name: string | undefined,
): Pick<RuntimeSettings, "shim" | "options"> {
  const runtime = name || settings.defaultRuntime;
  if (Object.hasOwn(settings.runtimes, runtime)) {
    const chosen = settings.runtimes[runtime] as RuntimeSettings;
    if (chosen.runtimeArgs.length > 0) findBinary(chosen.path);
    return chosen;
  }
  if (isRuntimeName(runtime)) return { shim: runtime, options: undefined };
  throw new InvalidArgument(`unknown or invalid runtime name: ${runtime}`);
}

/** The program that adds the arguments is always there: what it calls may not be. */
function findBinary(path: string): void {
  const refuse = (reason: string): never => {
    throw new InvalidArgument(
      `error while looking up the specified runtime path: exec: ${JSON.stringify(path)}: ${reason}`,
    );
  };
  if (!path.includes("/")) {
    if (!(process.env["PATH"] ?? "").split(delimiter).some((dir) => isExecutable(join(dir, path))))
      refuse("executable file not found in $PATH");
  } else if (statSync(path, { throwIfNoEntry: false }) === undefined) refuse(`stat ${path}: no such file or directory`);
  else if (!isExecutable(path)) refuse("permission denied");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
