import type { SandboxRecord } from "../records/records.ts";

const protocols: Record<string, number> = { tcp: 6, udp: 17, sctp: 132 };

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
  const names = [...new Set([...Object.keys(bindings), ...exposed])];
  const ports = names
    .map((name) => {
      const [port = "", proto = "tcp"] = name.split("/");
      return { name, Proto: protocols[proto] ?? 0, Port: Number(port) };
    })
    .sort((a, b) => b.Port - a.Port || a.Proto - b.Proto);
  const portmap = ports.flatMap(({ name, Proto, Port }) => {
    const wanted = bindings[name] ?? [];
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
