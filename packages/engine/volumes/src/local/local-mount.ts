import { getSystemErrorMap } from "node:util";
import { messageOf, Unknown } from "@longshore/errdefs";
import { mountAll, parseMountOptions, readMountInfo } from "@longshore/sys";
import { withAddresses } from "./network-address.ts";
import type { VolumeRecord } from "../record.ts";

/** Whether something is mounted at exactly this path. */
export function isMounted(path: string): boolean {
  return readMountInfo().some(({ mountPoint }) => mountPoint === path);
}

function reasonOf(error: unknown): string {
  const { errno, code } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(-Math.abs(errno));
  const byCode = [...getSystemErrorMap().values()].find(([name]) => name === code);
  // What Node has no words for, the C library has.
  return known?.[1] ?? byCode?.[1] ?? messageOf(error).replace(/^.*: /s, "");
}

/** Docker shows no password. */
function withoutPassword(text: string, options: readonly string[]): string {
  const password = options.find((option) => option.startsWith("password="))?.slice("password=".length) ?? "";
  return password === "" ? text : text.replaceAll(`password=${password}`, "password=********");
}

/** Whether driver options ask for a mount: keys without values do not. */
export function needsMount(options: VolumeRecord["options"]): options is Record<string, string> {
  return (options?.["type"] ?? "") !== "" || (options?.["device"] ?? "") !== "";
}

/**
 * Mounts what the driver options name: type, device and o as mount(8) has them.
 * @throws Unknown with Docker's texts
 */
export async function mountLocal(
  path: string,
  { type = "", device = "", o = "" }: { type?: string; device?: string; o?: string },
): Promise<void> {
  try {
    if (device === "") throw new Unknown("missing device in volume options");
    const { device: source, options } = await withAddresses(type, { device, options: o === "" ? [] : o.split(",") });
    try {
      mountAll([{ type: type === "none" ? "bind" : type, source, options }], path);
    } catch (error) {
      const { flags, data } = parseMountOptions(options);
      const shown = `${flags === 0 ? "" : `, flags: 0x${flags.toString(16)}`}${data.length > 0 ? `, data: ${data.join(",")}` : ""}`;
      throw new Unknown(
        withoutPassword(`failed to mount local volume: mount ${source}:${path}${shown}: ${reasonOf(error)}`, options),
        { cause: error },
      );
    }
  } catch (error) {
    throw new Unknown(`error while mounting volume '${path}': ${messageOf(error)}`, { cause: error });
  }
}
