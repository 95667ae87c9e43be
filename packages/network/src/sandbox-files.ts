import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxRequest } from "./contract.ts";
import { extraHostLines, hostNames, ownLines, renderHosts, withoutLines } from "./files/hosts.ts";
import { embeddedResolvConf, hostResolvConf, legacyResolvConf, onlyStub, parseResolvConf } from "./files/resolv-conf.ts";
import type { EndpointRecord, SandboxRecord } from "./records.ts";

const stubSource = "/run/systemd/resolve/resolv.conf";

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The host's resolver configuration: systemd-resolved's real servers where /etc only names its stub. */
function hostConf(): { source: string; content: string } {
  const content = readIfThere("/etc/resolv.conf") ?? "";
  const real = onlyStub(parseResolvConf(content)) ? readIfThere(stubSource) : undefined;
  return real === undefined ? { source: "/etc/resolv.conf", content } : { source: stubSource, content: real };
}

/** Which kind of resolver a container's network gives it. */
export type Resolver = "host" | "legacy" | "embedded";

/**
 * Makes resolv.conf in the container's directory.
 * @returns the servers that the embedded DNS asks; `onHost` when they are the host's own
 */
export function writeResolvConf(request: SandboxRequest, resolver: Resolver): { servers: string[]; onHost: boolean } {
  const overrides = { dns: request.dns, dnsSearch: request.dnsSearch, dnsOptions: request.dnsOptions };
  // The host's network shares the host's loopback, and with it a stub there.
  const { source, content } = resolver === "host" ? { source: "/etc/resolv.conf", content: readIfThere("/etc/resolv.conf") ?? "" } : hostConf();
  const host = parseResolvConf(content);
  const path = join(request.containerDir, "resolv.conf");
  const onHost = request.dns.length === 0;
  if (resolver === "embedded") {
    const embedded = embeddedResolvConf(host, source, overrides);
    writeFileSync(path, embedded.content, { mode: 0o644 });
    return { servers: embedded.upstream, onHost };
  }
  writeFileSync(path, (resolver === "host" ? hostResolvConf : legacyResolvConf)(host, source, overrides), { mode: 0o644 });
  return { servers: [], onHost };
}

function addressesOf(endpoint: EndpointRecord): string[] {
  return [endpoint.ipv4, endpoint.ipv6].filter((address) => address !== "");
}

/** Makes hosts and hostname in the container's directory. @throws InvalidArgument for host-gateway without one */
export function writeNames(request: SandboxRequest, endpoints: readonly EndpointRecord[], hostGateway: readonly string[]): void {
  const { containerDir, hostname, domainname, extraHosts, networkMode } = request;
  const own = ownLines(endpoints.flatMap(addressesOf), hostNames(hostname, domainname));
  const hostFile = networkMode === "host" ? readIfThere("/etc/hosts") : undefined;
  writeFileSync(join(containerDir, "hosts"), renderHosts(extraHostLines(extraHosts, hostGateway), own, hostFile), { mode: 0o644 });
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
  writeFileSync(path, withoutLines(content, ownLines(addressesOf(endpoint), hostNames(sandbox.hostname, sandbox.domainname))));
}
