import { canonicalPort, formatPort, readPorts } from "@longshore/docker-api";
import type { SandboxRecord } from "../records/records.ts";

const protocols = { tcp: 6, udp: 17, sctp: 132 } as const;

/** A container's ports as network drivers get them. */
export interface PortOptions {
  "com.docker.network.endpoint.exposedports": { Proto: number; Port: number }[];
  "com.docker.network.portmap": {
    Proto: number;
    IP: string;
    Port: number;
    HostIP: string;
    HostPort: number;
    HostPortEnd: number;
  }[];
}

/** The ports that a container exposes and wants to have published, the highest first. */
export function portOptions({ bindings, exposed, publishAll }: SandboxRecord["portRequest"]): PortOptions {
  const wantedOf = Object.fromEntries(Object.entries(bindings).map(([name, list]) => [canonicalPort(name), list]));
  const names = [...new Set([...Object.keys(wantedOf), ...exposed.map(canonicalPort)])];
  const ports = readPorts(names)
    .map((port) => ({ name: formatPort(port), Proto: protocols[port.proto], Port: port.containerPort }))
    .sort((a, b) => b.Port - a.Port || a.Proto - b.Proto);
  const portmap = ports.flatMap(({ name, Proto, Port }) => {
    const wanted = wantedOf[name] ?? [];
    const all = wanted.length === 0 && publishAll ? [{ HostIp: "", HostPort: "" }] : wanted;
    return all.map(({ HostIp = "", HostPort = "" }) => {
      const [begin = "", end = begin] = HostPort.split("-");
      return { Proto, IP: "", Port, HostIP: HostIp, HostPort: Number(begin), HostPortEnd: Number(end) };
    });
  });
  return {
    "com.docker.network.endpoint.exposedports": ports.map(({ Proto, Port }) => ({ Proto, Port })),
    "com.docker.network.portmap": portmap,
  };
}
