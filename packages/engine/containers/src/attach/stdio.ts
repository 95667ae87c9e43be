import { join } from "node:path";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { cacheOptions, isFedDriver } from "../logging/log-options.ts";
import { logAttributes } from "../logging/log-attributes.ts";
import { logRotation } from "../logging/log-rotation.ts";

/** The three stdio fields of a task or an exec, see docs/stdio.md. */
export interface Stdio {
  stdin: string;
  stdout: string;
  stderr: string;
}

/**
 * The socket on which the shim serves attach. Not below the container's directory: a unix
 * address has 107 bytes at most, and half an id tells containers apart.
 */
export function attachSocket(context: Context, id: string): string {
  return join(context.settings.execRoot, "attach", `${id.slice(0, 32)}.sock`);
}

function fields(uri: string, options: { stdin: boolean; terminal: boolean }): Stdio {
  return { stdin: options.stdin ? uri : "", stdout: uri, stderr: options.terminal ? "" : uri };
}

/**
 * What the shim needs to write the container's log and to serve attach.
 * @throws InvalidArgument for options of the log that Docker's drivers refuse when they begin
 */
export function taskStdio(context: Context, container: Container): Stdio {
  const { Config } = container.record;
  const { LogConfig } = container.hostConfig;
  const fed = isFedDriver(LogConfig.Type);
  const Type = fed ? "local" : LogConfig.Type;
  const options = fed ? cacheOptions(LogConfig.Config ?? {}) : LogConfig.Config;
  const query = new URLSearchParams({ attach: attachSocket(context, container.id), driver: Type });
  const { maxSize, maxFiles, compress } = logRotation(Type, options ?? {});
  // The shim has a limit of its own for the local driver, unless it is told.
  if (maxSize !== undefined || Type === "local") query.set("max-size", String(maxSize ?? -1));
  if (maxFiles !== undefined) query.set("max-file", String(maxFiles));
  if (compress !== undefined) query.set("compress", String(compress));
  const attributes = logAttributes(container);
  if (Object.keys(attributes).length > 0) query.set("attrs", JSON.stringify(attributes));
  if (Config.StdinOnce) query.set("stdin-once", "true");
  return fields(`longshore://${encodeURI(container.record.LogPath)}?${query.toString()}`, {
    stdin: Config.OpenStdin,
    terminal: Config.Tty,
  });
}

export function execStdio(context: Context, id: string, options: { stdin: boolean; terminal: boolean }): Stdio {
  const query = new URLSearchParams({ attach: attachSocket(context, id) });
  return fields(`longshore://?${query.toString()}`, options);
}
