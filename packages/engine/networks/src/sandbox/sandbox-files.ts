import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxRequest } from "../contract.ts";
import { baseHosts, extraHostLines, hostNames, ownLines, renderHosts, withoutLines } from "../files/hosts.ts";
import {
  type DnsOverrides,
  embeddedResolvConf,
  hostResolvConf,
  legacyResolvConf,
  onlyStub,
  parseResolvConf,
} from "../files/resolv-conf.ts";
import type { EndpointRecord, SandboxRecord } from "../records/records.ts";

const stubSource = "/run/systemd/resolve/resolv.conf";

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

interface HostConf {
  source: string;
  content: string;
}

function hostConf(): HostConf {
  return { source: "/etc/resolv.conf", content: readIfThere("/etc/resolv.conf") ?? "" };
}

/** As seen from a container: systemd-resolved's real servers where /etc only names its stub. */
function reachableConf(): HostConf {
  const host = hostConf();
  const real = onlyStub(parseResolvConf(host.content)) ? readIfThere(stubSource) : undefined;
  return real === undefined ? host : { source: stubSource, content: real };
}

/** Which kind of resolver a container's network gives it. */
export type Resolver = "host" | "legacy" | "embedded";

type Dns = NonNullable<SandboxRecord["dns"]>;

const digest = (content: string) => createHash("sha256").update(content).digest("hex");

function embedded({ source, content }: HostConf, overrides: DnsOverrides): { content: string; dns: Dns } {
  const made = embeddedResolvConf(parseResolvConf(content), source, overrides);
  return {
    content: made.content,
    dns: { servers: made.upstream, onHost: overrides.dns.length === 0, ndotsSet: made.ndotsSet },
  };
}

/** Makes resolv.conf in the container's directory. @param ipv6 whether the container has IPv6 */
export function writeResolvConf(
  request: SandboxRequest,
  resolver: Resolver,
  ipv6: boolean,
): Pick<SandboxRecord, "dns" | "resolver"> {
  const overrides = { dns: request.dns, dnsSearch: request.dnsSearch, dnsOptions: request.dnsOptions };
  const path = join(request.containerDir, "resolv.conf");
  const write = (content: string) => {
    writeFileSync(path, content, { mode: 0o644 });
    return { ...overrides, written: digest(content) };
  };
  if (resolver === "embedded") {
    // The embedded DNS asks from the host's namespace: a stub there will do.
    const { content, dns } = embedded(hostConf(), overrides);
    return { resolver: write(content), dns };
  }
  const { source, content } = resolver === "host" ? hostConf() : reachableConf();
  const host = parseResolvConf(content);
  return {
    resolver: write(
      resolver === "host" ? hostResolvConf(host, source, overrides) : legacyResolvConf(host, source, overrides, ipv6),
    ),
    dns: null,
  };
}

/** Leads a container that had no embedded DNS to it, unless its resolv.conf was edited. */
export function rewriteResolvConf({ containerDir, resolver }: SandboxRecord): Pick<SandboxRecord, "dns" | "resolver"> {
  const { content, dns } = embedded(reachableConf(), resolver ?? { dns: [], dnsSearch: [], dnsOptions: [] });
  const path = join(containerDir, "resolv.conf");
  if (!resolver || digest(readIfThere(path) ?? "") !== resolver.written) return { dns, ...(resolver && { resolver }) };
  // In place, since it is mounted in the container.
  writeFileSync(path, content);
  return { dns, resolver: { ...resolver, written: digest(content) } };
}

function addressesOf(endpoint: EndpointRecord): string[] {
  return [endpoint.ipv4, endpoint.ipv6].filter((address) => address !== "");
}

/** Makes hosts and hostname in the container's directory. @param noIPv6 whether the container has none, nor its files then. @throws Unknown for host-gateway without one */
export function writeNames(
  request: SandboxRequest,
  endpoints: readonly EndpointRecord[],
  hostGateway: readonly string[],
  noIPv6: boolean,
): void {
  const { containerDir, hostname, domainname, extraHosts, networkMode } = request;
  const own = ownLines(endpoints.flatMap(addressesOf), hostNames(hostname, domainname));
  const hostFile = networkMode === "host" ? readIfThere("/etc/hosts") : undefined;
  writeFileSync(
    join(containerDir, "hosts"),
    renderHosts(extraHostLines(extraHosts, hostGateway, noIPv6), own, hostFile ?? baseHosts(noIPv6)),
    { mode: 0o644 },
  );
  writeFileSync(join(containerDir, "hostname"), `${hostname}\n`, { mode: 0o644 });
}

/** Adds an endpoint's addresses to the hosts file of a running container, in place, since it is mounted there. */
export function addToHosts(sandbox: SandboxRecord, endpoint: EndpointRecord): void {
  const path = join(sandbox.containerDir, "hosts");
  writeFileSync(path, ownLines(addressesOf(endpoint), hostNames(sandbox.hostname, sandbox.domainname)), { flag: "a" });
}

/** Takes an endpoint's addresses out of the hosts file of a running container. */
export function removeFromHosts(sandbox: SandboxRecord, endpoint: EndpointRecord): void {
  const path = join(sandbox.containerDir, "hosts");
  const content = readIfThere(path);
  if (content === undefined) return;
  writeFileSync(
    path,
    withoutLines(content, ownLines(addressesOf(endpoint), hostNames(sandbox.hostname, sandbox.domainname))),
  );
}
