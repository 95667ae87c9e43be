import { readFileSync } from "node:fs";
import { lookup } from "node:dns/promises";
import { getSystemErrorMap } from "node:util";
import { messageOf, Unknown } from "@longshore/errdefs";
import { mountAll, parseMountOptions } from "@longshore/sys";

/** Whether something is mounted at exactly this path. */
export function isMounted(path: string): boolean {
  // Octal escapes stand for the four characters that would break the table.
  const escaped = path.replaceAll(/[\\ \t\n]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === escaped);
}

function reasonOf(error: unknown): string {
  const { errno, code } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(-Math.abs(errno));
  const byCode = [...getSystemErrorMap().values()].find(([name]) => name === code);
  return known?.[1] ?? byCode?.[1] ?? messageOf(error);
}

/** The kernel takes the server of a network file system as an address only. */
async function withAddress(type: string, options: string[]): Promise<string[]> {
  const index = options.findIndex((option) => option.startsWith("addr="));
  const host = options[index]?.slice("addr=".length);
  if (host === undefined || !["nfs", "nfs4", "cifs"].includes(type)) return options;
  try {
    const { address } = await lookup(host);
    return options.with(index, `addr=${address}`);
  } catch (error) {
    throw new Unknown(`error resolving passed in network volume address: lookup ${host}: no such host`, { cause: error });
  }
}

/**
 * Mounts what the driver options name: type, device and o as mount(8) has them.
 * @throws Unknown with Docker's texts
 */
export async function mountLocal(path: string, { type = "", device = "", o = "" }: { type?: string; device?: string; o?: string }): Promise<void> {
  const given = o === "" ? [] : o.split(",");
  try {
    const options = await withAddress(type, given);
    try {
      mountAll([{ type: type === "none" ? "bind" : type, source: device, options }], path);
    } catch (error) {
      const { flags, data } = parseMountOptions(options);
      const shown = `${flags === 0 ? "" : `, flags: 0x${flags.toString(16)}`}${data.length > 0 ? `, data: ${data.join(",")}` : ""}`;
      throw new Unknown(`failed to mount local volume: mount ${device}:${path}${shown}: ${reasonOf(error)}`, { cause: error });
    }
  } catch (error) {
    throw new Unknown(`error while mounting volume '${path}': ${messageOf(error)}`, { cause: error });
  }
}
