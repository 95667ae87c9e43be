import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { type AccessConfig, bothGive, checkEngineKeys } from "./engine-keys.ts";
import { readBytes } from "./file-bytes.ts";
import { decodeText, parseObject } from "./json-text.ts";
import { commandOptions } from "../options/command.ts";
import type { Given } from "../options/table.ts";

/** Where the file of the engine's own keys lies. */
export function engineConfigPath(flags: Given): string {
  return flags.get("longshore-config-file") ?? commandOptions["longshore-config-file"].fallback;
}

/**
 * Reads the file of the engine's own keys and adds what daemon.json says under `longshore`, their place in earlier
 * versions. A missing file is an error only when a flag names it.
 * @param former what daemon.json says
 * @throws InvalidArgument naming the file and what is wrong there: what cannot be read, unknown keys, wrong values, a key that both files give
 */
export async function readEngineJson(flags: Given, former: AccessConfig | undefined): Promise<AccessConfig> {
  const path = engineConfigPath(flags);
  try {
    const bytes = await readBytes(path, flags.has("longshore-config-file"));
    const own = checkEngineKeys(parseObject(decodeText(bytes)));
    if (former === undefined) return own;
    const twice = bothGive(own, former);
    if (twice.length > 0)
      throw new InvalidArgument(
        `the following directives are specified both there and under longshore in daemon.json: ${twice.join(", ")}`,
      );
    return { ...former, ...own, sockets: [...former.sockets, ...own.sockets] };
  } catch (error) {
    throw new InvalidArgument(`unable to configure the engine with file ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
