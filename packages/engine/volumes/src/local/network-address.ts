import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { InvalidArgument, Unknown } from "@longshore/errdefs";
import { lookupText } from "@longshore/errdefs/dial";

/** A network file system's device and options, as `device` and `o` name them. */
export interface NetworkMount {
  device: string;
  options: string[];
}

async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new Unknown(`error resolving passed in network volume address: ${lookupText(host)}`, { cause: error });
  }
}

/**
 * The kernel takes the server of a network file system as an address only: names in `addr=` and, for cifs,
 * in the device become addresses.
 * @throws Unknown with Docker's text when a name has none
 */
export async function withAddresses(type: string, { device, options }: NetworkMount): Promise<NetworkMount> {
  if (!["nfs", "nfs4", "cifs"].includes(type)) return { device, options };
  const index = options.findIndex((option) => option.startsWith("addr="));
  const named = options[index]?.slice("addr=".length) ?? "";
  if (named !== "")
    return { device, options: isIP(named) === 0 ? options.with(index, `addr=${await addressOf(named)}`) : options };
  const host = type === "cifs" ? /^\/\/([^/:@]+)(?=\/|$)/.exec(device)?.[1] : undefined;
  if (host === undefined || isIP(host) !== 0) return { device, options };
  return { device: `//${await addressOf(host)}${device.slice(2 + host.length)}`, options };
}

/** @throws InvalidArgument when a cifs device, which is read as a URL, is none */
export function checkDevice(type: string, device: string): void {
  const wrong = type === "cifs" ? /%(?![0-9a-fA-F]{2}).{0,2}/.exec(device)?.[0] : undefined;
  if (wrong !== undefined)
    throw new InvalidArgument(
      `error parsing mount device url: parse ${JSON.stringify(device)}: invalid URL escape ${JSON.stringify(wrong)}`,
    );
}
