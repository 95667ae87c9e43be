import type { PortMap } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";

const isPort = (text: string): boolean => /^\d+$/.test(text) && Number(text) <= 65_535;

function isPortRange(text: string): boolean {
  if (text === "") return true;
  const [start = "", end = start] = text.split("-", 2);
  return isPort(start) && isPort(end) && Number(end) >= Number(start);
}

/** @throws InvalidArgument `invalid port specification: "x"` */
export function checkPortBindings(bindings: PortMap | null): void {
  const invalid = (port: string): InvalidArgument =>
    new InvalidArgument(`invalid port specification: ${JSON.stringify(port)}`);
  for (const [key, list] of Object.entries(bindings ?? {})) {
    const port = key.split("/", 1)[0] ?? "";
    if (port !== "" && !isPort(port)) throw invalid(port);
    for (const { HostPort = "" } of list ?? []) {
      if (!isPortRange(HostPort.split("/", 1)[0] ?? "")) throw invalid(HostPort);
    }
  }
}
