import type { PortMap } from "@longshore/docker-api";
import { Pace } from "@longshore/concurrency";
import { InvalidArgument } from "@longshore/errdefs";

const isPort = (text: string): boolean => /^\d+$/.test(text) && Number(text) <= 65_535;

function isPortRange(text: string): boolean {
  if (text === "" || isPort(text)) return true;
  const [start = "", end = start] = text.split("-", 2);
  return isPort(start) && isPort(end) && Number(end) >= Number(start);
}

function beforeSlash(text: string): string {
  const slash = text.indexOf("/");
  return slash < 0 ? text : text.slice(0, slash);
}

const portsAtOnce = 1000;

/** @throws InvalidArgument `invalid port specification: "x"` */
export async function checkPortBindings(bindings: PortMap | null): Promise<void> {
  const invalid = (port: string): InvalidArgument =>
    new InvalidArgument(`invalid port specification: ${JSON.stringify(port)}`);
  const pace = new Pace();
  for (const [index, key] of Object.keys(bindings ?? {}).entries()) {
    if (index % portsAtOnce === portsAtOnce - 1) await pace.pause();
    const port = beforeSlash(key);
    if (port !== "" && !isPort(port)) throw invalid(port);
    for (const { HostPort = "" } of bindings?.[key] ?? []) {
      if (!isPortRange(beforeSlash(HostPort))) throw invalid(HostPort);
    }
  }
}
