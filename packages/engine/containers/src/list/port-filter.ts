import type { Port } from "@longshore/docker-api";
import { Unknown, messageOf } from "@longshore/errdefs";
import { parseInteger } from "@longshore/go-values";

interface PortRange {
  from: number;
  to: number;
  protocol: string;
}

/** @throws Unknown (status 500, as Docker answers) */
function parsePort(text: string): number {
  try {
    return parseInteger(text, "ParseUint", 16);
  } catch (error) {
    throw new Unknown(messageOf(error), { cause: error });
  }
}

/** `80`, `80-90`, `80/udp`; what follows a second hyphen or slash does not count. */
function parseRange(value: string): PortRange {
  const [ports = "", protocol = ""] = value.split("/");
  if (ports === "") throw new Unknown("Empty string specified for ports.");
  const [first = "", second = first] = ports.split("-");
  const from = parsePort(first);
  const to = parsePort(second);
  if (to < from) throw new Unknown(`Invalid range specified for the Port: ${ports}`);
  return { from, to, protocol: protocol === "" ? "tcp" : protocol };
}

/** @throws Unknown (status 500, as Docker answers) */
function rangesOf(key: string, values: readonly string[]): PortRange[] {
  return values.map((value) => {
    if (value.includes(":")) throw new Unknown(`filter for '${key}' should not contain ':': ${value}`);
    try {
      return parseRange(value);
    } catch (error) {
      throw new Unknown(`error while looking up for ${key} ${value}: ${(error as Error).message}`, { cause: error });
    }
  });
}

/**
 * The filters `publish`, on ports of the host, and `expose`, on those of the container: a list shows who has a port
 * that one of them names. Port 0 of the host is that of a port that is not published.
 * @returns undefined when there is no such filter
 * @throws Unknown in Docker's words
 */
export function portFilter(
  published: readonly string[],
  exposed: readonly string[],
): ((ports: readonly Port[]) => boolean) | undefined {
  const onHost = rangesOf("publish", published);
  const inside = rangesOf("expose", exposed);
  if (onHost.length + inside.length === 0) return undefined;
  const within = (ranges: readonly PortRange[], port: number, type: string): boolean =>
    ranges.some(({ from, to, protocol }) => protocol === type && port >= from && port <= to);
  return (ports) =>
    ports.some(
      ({ PrivatePort, PublicPort = 0, Type }) => within(onHost, PublicPort, Type) || within(inside, PrivatePort, Type),
    );
}
