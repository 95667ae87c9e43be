import { Unknown } from "@longshore/errdefs";
import { canonicalAddress, familyOf } from "@longshore/ip";

const base4 = "127.0.0.1\tlocalhost\n";
const base6 = `::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** What `hosts` starts with in a container. */
export function baseHosts(noIPv6: boolean): string {
  return noIPv6 ? base4 : base4 + base6;
}

/** A host name's forms in a hosts line: the full one, then the short one when they differ. */
export function hostNames(hostname: string, domainname: string): string {
  const full = domainname === "" ? hostname : `${hostname}.${domainname}`;
  const dot = full.indexOf(".");
  return dot > 0 ? `${full} ${full.slice(0, dot)}` : full;
}

/**
 * Lines for `--add-host`.
 * @param extraHosts `name:ip`, where ip may be `host-gateway` or stand in brackets
 * @param noIPv6 whether IPv6 addresses are left out
 * @throws Unknown when host-gateway is asked for and there is none
 */
export function extraHostLines(extraHosts: readonly string[], hostGateway: readonly string[], noIPv6 = false): string {
  return extraHosts
    .flatMap((extra) => {
      const colon = extra.indexOf(":");
      const name = extra.slice(0, colon);
      const ip = extra.slice(colon + 1).replace(/^\[(.*)\]$/, "$1");
      if (ip !== "host-gateway") return [`${canonicalAddress(ip)}\t${name}\n`];
      if (hostGateway.length === 0) throw new Unknown("unable to derive the IP value for host-gateway");
      return hostGateway.map((address) => `${address}\t${name}\n`);
    })
    .filter((line) => !noIPv6 || familyOf(line.split("\t", 1)[0] ?? "") === 4)
    .join("");
}

/** One line for each of the container's own addresses. */
export function ownLines(addresses: readonly string[], names: string): string {
  return addresses.map((address) => `${address}\t${names}\n`).join("");
}

/** The whole file. @param base `baseHosts`, or the host's own file for the host network */
export function renderHosts(extra: string, own: string, base: string): string {
  return base + extra + own;
}

/** Takes lines that `ownLines` made out of a file that may have been edited since. */
export function withoutLines(content: string, lines: string): string {
  const gone = new Set(lines.split("\n").filter((line) => line !== ""));
  return content
    .split("\n")
    .filter((line) => !gone.has(line))
    .join("\n");
}
